# The error of a codeword's mass against eta = K h d: colours are samplers,
# symbols dimensions, lighter the smaller.
name = ARG2
load name.'.vars.gp'
key_lines = samplers
ytext = 'mass error of a codeword, |{/:Italic m}_1|'
note_1 = 'Lines: limit {/:Italic d} → ∞.   Filled: planted laws.'.(chains ? sprintf('   Open: %d chains.', chains) : '')
note_2 = '{/:Italic d}:'
do for [k=1:dimensions] {
    note_2 = note_2.sprintf('  %s %d', word('● ■ ▲ ◆ ⬟ ▼', (k - 1)%6 + 1), value(sprintf('dimension_%d', k)))
}
long_note = 1
load ARG1
set xlabel 'η = {/:Italic K h d}' offset 0,0.3
set errorbars 0.6
set xtics (0.1, 1, 10)
do for [i=-4:2] {
    do for [m in (xmax < 4*xmin ? '1 1.2 1.5 2 2.5 3 4 5 6 8' : xmax < 200*xmin ? '1 2 5' : '1')] {
        set xtics add (real(m)*10**i)
    }
}
set format x '%g'
lighter(c, part) = c + int(part*(255 - c/65536))*65536 + int(part*(255 - c/256%256))*256 + int(part*(255 - c%256))
shade(c, k) = lighter(c, dimensions < 2 ? 0.0 : 0.62*(dimensions - k)/(dimensions - 1.0))
mark(k) = int(word('7 5 9 13 15 11', (k - 1) % 6 + 1))
mark_size(k) = 0.85*real(word('1.0 0.95 1.1 1.2 1.1 1.1', (k - 1) % 6 + 1))
of(n) = int(column("series") - 1)%samplers + 1 # a row's sampler and dimension
in(n) = int(column("series") - 1)/samplers + 1
hue(n) = shade(colour(of(n)), in(n))
kind(p, k) = column("panel") == p && strcol("kind") eq k ? column(7) : NaN
do for [f in formats] {
    eval begin(f)
    do for [p=1:panels] {
        eval panel(p)
        plot for [s=1:samplers] table using (at(p, s, 'law')):8 with lines lc rgb colour(s) lw 1.6 dt dash(s) notitle, \
             for [e in 'planted chains'] table using (kind(p, e.' limit')):8:(0):(-LENGTH*$8):(hue(0)) \
                 with vectors head filled size screen 0.006,25 lc rgb variable lw 0.8 notitle, \
             for [e in 'planted chains'] table using (kind(p, e)):8:($9-$10):($9+$10):(hue(0)) \
                 with yerrorbars lc rgb variable lw 0.9 pt 7 ps 0 notitle, \
             for [e in '"chains" "chains limit"'] for [open=0:1] \
                 table using (kind(p, e)):8:(1.5*(open ? 0.7 : 1.0)*mark_size(in(0))):(mark(in(0))):(open ? 0xffffff : hue(0)) \
                 with points pt variable ps variable lc rgb variable notitle, \
             for [e in '"planted" "planted limit"'] table using (kind(p, e)):8:(0.7*mark_size(in(0))):(mark(in(0))):(hue(0)) \
                 with points pt variable ps variable lc rgb variable notitle, \
             table using (kind(p, 'gain')):8 with points lc rgb INK pt 1 ps 0.5 notitle, \
             for [s=1:samplers] keyentry with lines lc rgb colour(s) lw 2.0 dt dash(s) title key_text(p, s)
    }
    eval end
}
