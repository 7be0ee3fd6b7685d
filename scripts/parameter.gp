# TV against a parameter that the experiment gives as a list of numbers.
name = ARG2
load name.'.vars.gp'
key_lines = keys
ytext = 'TV'
note_1 = 'Exact values at one number of steps.'
note_2 = ''
load ARG1
set xlabel parameter offset 0,0.3
do for [f in formats] {
    eval begin(f)
    do for [p=1:panels] {
        eval panel(p)
        plot for [s=1:samplers] table using (at(p, s, 'measured')):8 with lines lc rgb colour(s) lw 1.2 dt dash(s) notitle, \
             for [s=1:samplers] table using (at(p, s, 'measured')):8 with points lc rgb colour(s) \
                 pt symbol(s) ps symbol_size(s) notitle, \
             for [s=1:samplers] keyentry with linespoints lc rgb colour(s) lw 1.2 dt dash(s) pt symbol(s) ps symbol_size(s) \
                 title key_text(p, s)
    }
    eval end
}
