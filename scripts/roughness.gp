# The constant in front of the score error's term against the roughness of the error.
name = ARG2
load name.'.vars.gp'
key_lines = samplers
ytext = '{/:Italic C} = effect/(ε_{score} √log {/:Italic T})'
note_1 = 'Score error '.where.'.'.(more > 0 ? sprintf('   %d more kinds: in the table.', more) : '')
note_2 = 'Solid: with noise.   Dashed: deterministic.'
load ARG1
set xlabel 'roughness ω of the score error' offset 0,0.3
do for [f in formats] {
    eval begin(f)
    do for [p=1:panels] {
        eval panel(p)
        plot for [s=1:samplers] table using (at(p, s, 'measured')):8 with linespoints lc rgb colour(s) lw 1.2 \
                 dt dash(s) pt symbol(s) ps symbol_size(s) notitle, \
             for [s=1:samplers] keyentry with linespoints lc rgb colour(s) lw 1.2 dt dash(s) \
                 pt symbol(s) ps symbol_size(s) title key_text(p, s)
    }
    eval end
}
