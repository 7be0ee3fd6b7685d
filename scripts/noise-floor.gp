# The smallest TV that an estimator tells from 0 against the number of chains.
name = ARG2
load name.'.vars.gp'
key_lines = words(shown) + samplers + 1
ytext = 'smallest significant TV'
largest = largest_steps > 0 ? sprintf('At {/:Italic T} = %d.', largest_steps) : 'At the largest {/:Italic T} of each {/:Italic d}.'
note_1 = largest.'   Told from 0: by three standard errors.'
note_2 = 'Of KL and χ²: the TV that they allow.'
load ARG1
set xlabel 'chains' offset 0,0.3
do for [f in formats] {
    eval begin(f)
    do for [p=1:panels] {
        eval panel(p)
        plot for [s=1:samplers] table using (at(p, s, 'exact')):8 with lines lc rgb colour(s) lw 2.2 dt 3 notitle, \
             for [w in shown] table using (at(p, int(w), 'floor')):8 with linespoints lc rgb ink(int(w)) lw 1.2 \
                 pt sign(int(w)) ps 1 notitle, \
             table using (at(p, 0, 'guide')):8 with lines lc rgb GREY lw 1.2 dt 2 notitle, \
             for [w in shown] keyentry with linespoints lc rgb ink(int(w)) lw 1.2 pt sign(int(w)) ps 1 \
                 title value('estimator_'.w), \
             for [s=1:samplers] keyentry with lines lc rgb colour(s) lw 2.2 dt 3 \
                 title 'exact TV of '.value(sprintf('sampler_%d', s)), \
             keyentry with lines lc rgb GREY lw 1.2 dt 2 title '∝ 1/√chains'
    }
    eval end
}
