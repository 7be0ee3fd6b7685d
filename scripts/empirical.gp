# TV from chains and from exact laws against the step size.
name = ARG2
load name.'.vars.gp'
key_lines = (dimensions + 2)/3
ytext = 'TV'
note_1 = (laws ? 'Lines: exact laws.   ' : '').(asked_1 ? '● TV ≥ by projections' : '').(asked_2 ? '   ■ TV ≥ by weights of paths' : '')
long_note = 1
note_2 = sprintf('%d chains, ± 2 standard errors.   Open, ↓: not significantly above 0.', chains)
load ARG1
set xlabel 'step size {/:Italic h}' offset 0,0.3
set xtics (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)
set format x '%g'
set yrange [ymin*(1 - LENGTH):ymax]
c(s) = shade_of(s, dimensions)
beside(s) = 1.035**(s - 0.5*(dimensions + 1)) # points of one h side by side
tells = 'projection_tv weights_tv'
mark(e) = int(word('7 5', e))
do for [f in formats] {
    eval begin(f)
    do for [p=1:panels] {
        eval panel(p)
        set key maxcols 3 maxrows (dimensions + 2)/3 samplen 1.2 width (value(sprintf('dimension_%d', dimensions)) > 99 ? -2.2 : -1)
        plot for [s=1:dimensions] table using (at(p, s, 'exact')):8 with lines lc rgb c(s) lw 1.4 notitle, \
             for [e=1:2] for [s=1:dimensions] table using (at(p, s, word(tells, e).' limit')*beside(s)):8:(0):(-LENGTH*$8) \
                 with vectors head filled size screen 0.006,25 lc rgb c(s) lw 0.8 notitle, \
             for [e=1:2] for [s=1:dimensions] table using (at(p, s, word(tells, e).' limit')*beside(s)):8 \
                 with points lc rgb c(s) pt mark(e) ps 0.55 notitle, \
             for [e=1:2] for [s=1:dimensions] table using (at(p, s, word(tells, e).' limit')*beside(s)):8 \
                 with points lc rgb 'white' pt mark(e) ps HOLE*0.55 notitle, \
             for [e=1:2] for [s=1:dimensions] table using (at(p, s, word(tells, e))*beside(s)):8:($9-ERROR*$10):($9+ERROR*$10) \
                 with yerrorbars lc rgb c(s) lw 0.9 pt mark(e) ps 0.75 notitle, \
             for [s=1:dimensions] keyentry with linespoints lc rgb c(s) lw 1.4 pt 7 ps 0.75 \
                 title sprintf('{/:Italic d} = %d', value(sprintf('dimension_%d', s)))
    }
    eval end
}
