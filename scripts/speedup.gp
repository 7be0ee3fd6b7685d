# T_ddpm/T_accelerated against 1/eps, in steps and in score evaluations.
name = ARG2
load name.'.vars.gp'
key_lines = 4
ytext = '{/:Italic T}_{ddpm} / {/:Italic T}_{accelerated}'
note_1 = 'Filled, solid: in steps.   Open, dashed: in score evaluations.'
note_2 = 'Above the line at 1 acceleration pays.'
load ARG1
set xlabel '1/ε' offset 0,0.3
shade(s) = rgb(word('#56B4E9 #0072B2 #00263d', s))
mark(s) = int(word('5 7 13', s))
do for [f in formats] {
    eval begin(f)
    do for [p=1:panels] {
        eval panel(p)
        set arrow 1 from graph 0, first 1 to graph 1, first 1 nohead back lc rgb '#444444' lw 1
        count = value(sprintf('series_%d', p))
        plot table using (at(p, 1, 'guide')):8 with lines lc rgb GREY lw 1.2 dt 2 notitle, \
             for [s=1:count] table using (at(p, s, 'evaluations')):8 with linespoints lc rgb shade(s) lw 1 dt 2 \
                 pt mark(s) ps 0.9 notitle, \
             for [s=1:count] table using (at(p, s, 'evaluations')):8 with points lc rgb 'white' \
                 pt mark(s) ps HOLE*0.9 notitle, \
             for [s=1:count] table using (at(p, s, 'steps')):8 with linespoints lc rgb shade(s) lw 1.2 \
                 pt mark(s) ps 0.9 notitle, \
             for [s=1:count] keyentry with linespoints lc rgb shade(s) lw 1.2 pt mark(s) ps 0.9 \
                 title key_text(p, s), \
             keyentry with lines lc rgb GREY lw 1.2 dt 2 title '∝ 1/√ε, ratio of the bounds'
    }
    eval end
}
