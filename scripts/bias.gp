# What estimators say over what is exact, against the dimension.
name = ARG2
load name.'.vars.gp'
key_lines = most_shown
ytext = 'estimate or bound / exact'
note_1 = sprintf('%d chains, ± 2 standard errors.   ↓ not significantly above 0.', chains)
note_2 = undetected ne '' ? 'Left out, as nothing is significantly above 0: '.undetected : ''
load ARG1
set xlabel 'dimension {/:Italic d}' offset 0,0.3
set logscale x 2
set yrange [ymin*(1 - LENGTH):ymax]
set format x '%g'
if (xmax > 100*xmin) set xtics 1,4
beside(e) = 1.05**(e - 4)
do for [f in formats] {
    eval begin(f)
    do for [p=1:panels] {
        eval panel(p)
        set arrow 1 from graph 0, first 1 to graph 1, first 1 nohead back lc rgb '#444444' lw 1
        list = value(sprintf('shown_%d', p))
        plot for [w in list] table using (at(p, int(w), 'measured limit')*beside(int(w))):8:(0):(-LENGTH*$8) \
                 with vectors head filled size screen 0.006,25 lc rgb ink(int(w)) lw 0.9 notitle, \
             for [w in list] table using (at(p, int(w), 'measured')*beside(int(w))):8:($9-ERROR*$10):($9+ERROR*$10) \
                 with yerrorlines lc rgb ink(int(w)) lw 1 pt sign(int(w)) ps 0.9 notitle, \
             for [w in list] keyentry with linespoints lc rgb ink(int(w)) lw 1 pt sign(int(w)) ps 0.9 \
                 title value('key_'.p.'_'.w)
    }
    eval end
}
