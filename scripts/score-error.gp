# The effect of a score error against its size: colours are samplers, symbols are score errors.
name = ARG2
load name.'.vars.gp'
key_lines = samplers + kinds + 1
ytext = 'effect of the score error'
note_1 = 'At '.where.'.   Dashed: deterministic.'
note_2 = more > 0 ? sprintf('%d more score errors: in the table.', more) : ''
load ARG1
set xlabel 'size ε_{score} of the score error' offset 0,0.3
do for [f in formats] {
    eval begin(f)
    do for [p=1:panels] {
        eval panel(p)
        plot table using (at(p, 0, 'guide')):8 with lines lc rgb GREY lw 1.2 dt 2 notitle, \
             for [s=1:samplers*kinds] table using (at(p, s, 'measured')):8 with linespoints lc rgb colour(s) lw 1.2 \
                 dt dash(s) pt kind_symbol(s) ps kind_size(s) notitle, \
             for [s=1:samplers] keyentry with lines lc rgb colour(s) lw 2 dt dash(s) title key_text(p, s), \
             for [k=1:kinds] keyentry with points lc rgb INK pt kind_symbol(1 + (k - 1)*samplers) ps 1 \
                 title value(sprintf('kind_%d_%d', p, k)), \
             keyentry with lines lc rgb GREY lw 1.2 dt 2 title '∝ ε_{score}'
    }
    eval end
}
