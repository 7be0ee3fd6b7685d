# T(d, eps) against d at one eps a target, with the growth that the bounds allow.
name = ARG2
load name.'.vars.gp'
key_lines = samplers + guides
ytext = 'steps {/:Italic T} needed'.(exists('needed_for') ? needed_for : '')
note_1 = (fits > 0 ? 'Exponents: of {/:Italic T}/log {/:Italic T}.   ' : '').'△ more than the largest {/:Italic T} measured'
note_2 = '▽ met at the smallest {/:Italic T} already'
load ARG1
set yrange [ymin:ymax*lift(beyond_rows)]
set xlabel 'dimension {/:Italic d}' offset 0,0.3
do for [f in formats] {
    eval begin(f)
    do for [p=1:panels] {
        eval panel(p)
        plot for [g=1:guides] table using (at(p, g, 'guide')):8 with lines lc rgb GREY lw 1.2 dt g + 1 notitle, \
             for [s=1:samplers] table using (at(p, s, 'found')):8 with linespoints lc rgb colour(s) lw 1.2 dt dash(s) \
                 pt symbol(s) ps symbol_size(s) notitle, \
             for [s=1:samplers] table using (at(p, s, 'beyond')):($8*lift(s)) with points lc rgb colour(s) \
                 pt 9 ps 0.9 notitle, \
             for [s=1:samplers] table using (at(p, s, 'at-start')):8 with points lc rgb colour(s) \
                 pt 11 ps nested(s, samplers) notitle, \
             for [s=1:samplers] keyentry with linespoints lc rgb colour(s) lw 1.2 dt dash(s) \
                 pt symbol(s) ps symbol_size(s) title key_text(p, s), \
             for [g=1:guides] keyentry with lines lc rgb GREY lw 1.2 dt g + 1 title value(sprintf('guide_%d', g))
    }
    eval end
}
