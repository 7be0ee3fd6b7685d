# Upper bounds of TV from weights of paths against the number of steps.
name = ARG2
load name.'.vars.gp'
key_lines = (dimensions + 2)/3
ytext = 'TV'
note_1 = sprintf('%sTV ≤ by ▲ the KL of paths, ◆ χ² (↓ not significantly above 0)', laws ? 'Lines: exact TV.   ' : '')
long_note = 1
note_2 = 'Dashed: ∝ 1/√{/:Italic T}, dotted: ∝ log {/:Italic T}/√{/:Italic T}.   Above 1 a bound says nothing.'
load ARG1
set xlabel 'steps {/:Italic T}' offset 0,0.3
set logscale x 2
set format x '%g'
c(s) = shade_of(s, dimensions)
beside(s) = 1.035**(s - 0.5*(dimensions + 1))
do for [f in formats] {
    eval begin(f)
    do for [p=1:panels] {
        eval panel(p)
        set key maxcols 3 maxrows (dimensions + 2)/3 samplen 1.2 width (value(sprintf('dimension_%d', dimensions)) > 99 ? -2.2 : -1)
        set arrow 1 from graph 0, first 1 to graph 1, first 1 nohead back lc rgb '#444444' lw 1
        plot for [s=1:dimensions] table using (at(p, s, 'guide')):8 with lines lc rgb GREY lw 1 dt 2 notitle, \
             for [s=1:dimensions] table using (at(p, s, 'guide log')):8 with lines lc rgb GREY lw 1 dt 3 notitle, \
             for [s=1:dimensions] table using (at(p, s, 'exact')):8 with lines lc rgb c(s) lw 1.4 notitle, \
             for [s=1:dimensions] table using (at(p, s, 'chi2_tv limit')*beside(s)):8:(0):(-LENGTH*$8) \
                 with vectors head filled size screen 0.006,25 lc rgb c(s) lw 0.8 notitle, \
             for [s=1:dimensions] table using (at(p, s, 'chi2_tv')*beside(s)):8:($9-ERROR*$10):($9+ERROR*$10) \
                 with yerrorbars lc rgb c(s) lw 0.9 pt 13 ps 0.95 notitle, \
             for [s=1:dimensions] table using (at(p, s, 'pinsker_tv')):8 with points lc rgb c(s) pt 9 ps 0.9 notitle, \
             for [s=1:dimensions] keyentry with linespoints lc rgb c(s) lw 1.4 pt 9 ps 0.9 \
                 title sprintf('{/:Italic d} = %d', value(sprintf('dimension_%d', s)))
    }
    eval end
}
