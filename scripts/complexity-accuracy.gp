# T(d, eps) against 1/eps in the smallest and the largest dimension, with the growth that the bounds allow.
name = ARG2
load name.'.vars.gp'
key_lines = samplers + 1 + guides
ytext = 'steps {/:Italic T} needed'.(exists('needed_for') ? needed_for : '')
note_1 = (fits > 0 ? 'Exponents: of {/:Italic T}/log {/:Italic T}.   ' : '').'△ more than the largest {/:Italic T} measured'
note_2 = '▽ met at the smallest {/:Italic T} already'
load ARG1
set yrange [ymin:ymax*lift(beyond_rows)]
set xlabel '1/ε' offset 0,0.3
both = 2*samplers # series of the smallest dimension, then those of the largest
do for [f in formats] {
    eval begin(f)
    do for [p=1:panels] {
        eval panel(p)
        plot for [g=1:guides] table using (at(p, g, 'guide')):8 with lines lc rgb GREY lw 1.2 dt g + 1 notitle, \
             for [s=1:both] table using (at(p, s, 'found')):8 with linespoints lc rgb colour(s) lw 1.2 dt dash(s) \
                 pt symbol(s) ps symbol_size(s) notitle, \
             for [s=samplers+1:both] table using (at(p, s, 'found')):8 with points lc rgb 'white' \
                 pt symbol(s) ps HOLE*symbol_size(s) notitle, \
             for [s=1:both] table using (at(p, s, 'beyond')):($8*lift(s)) with points lc rgb colour(s) \
                 pt (s <= samplers ? 9 : 8) ps 0.9 notitle, \
             for [s=1:both] table using (at(p, s, 'at-start')):8 with points lc rgb colour(s) \
                 pt (s <= samplers ? 11 : 10) ps nested(s, both) notitle, \
             for [s=1:samplers] keyentry with linespoints lc rgb colour(s) lw 1.2 dt dash(s) pt symbol(s) ps symbol_size(s) \
                 title key_text(p, s), \
             keyentry with points pt 7 ps 0.1 lc rgb 'white' title value(sprintf('dimensions_%d', p)), \
             for [g=1:guides] keyentry with lines lc rgb GREY lw 1.2 dt g + 1 title value(sprintf('guide_%d', g))
    }
    eval end
}
