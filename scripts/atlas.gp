# TV against score evaluations: colours are claimed orders, symbols the samplers of one order.
name = ARG2
load name.'.vars.gp'
key_lines = samplers
ytext = 'TV'
note_1 = 'Claimed order: red 1, blue 2, green 3, purple 4, grey none.'
note_2 = 'Dashed: deterministic.  Open: coarser than 1/1000.  ▽ radius'
long_note = 1
load ARG1
set xlabel 'score evaluations' offset 0,0.3
order(s) = int(word(orders, s))
hue(s) = rgb(order(s) >= 1 && order(s) <= 4 ? word(VERMILION.' '.BLUE.' '.GREEN.' '.INDIGO, order(s)) : GREY)
place(s) = (int(word(places, s)) - 1) % 6 + 1
mark(s) = int(word('5 7 9 13 15 11', place(s)))
mark_size(s) = real(word('1.1 1.0 1.1 1.2 0.9 0.9', place(s)))
do for [f in formats] {
    eval begin(f)
    do for [p=1:panels] {
        eval panel(p)
        plot for [s=1:samplers] table using (at(p, s, 'measured')):8 with lines lc rgb hue(s) lw 1.2 dt dash(s) notitle, \
             for [s=1:samplers] table using (at(p, s, 'measured')):8 with points lc rgb hue(s) \
                 pt mark(s) ps mark_size(s) notitle, \
             for [s=1:samplers] table using (at(p, s, 'unsharp')):8 with points lc rgb hue(s) \
                 pt mark(s) ps mark_size(s) notitle, \
             for [s=1:samplers] table using (at(p, s, 'unsharp')):8 with points lc rgb 'white' \
                 pt mark(s) ps HOLE*mark_size(s) notitle, \
             for [s=1:samplers] table using (at(p, s, 'below')):8 with points lc rgb hue(s) pt 10 ps 1.0 notitle, \
             for [s=1:samplers] keyentry with linespoints lc rgb hue(s) lw 1.2 dt dash(s) pt mark(s) ps mark_size(s) \
                 title key_text(p, s)
    }
    eval end
}
