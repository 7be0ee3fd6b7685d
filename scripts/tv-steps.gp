# TV, or `what` column-steps.gp draws, against the number of steps in the smallest dimension, with the fitted powers of h.
if (!exists('what')) { what = 'TV' }
name = ARG2
load name.'.vars.gp'
key_lines = samplers
ytext = what
fitted = 'Thin black: '.what.' ∝ the stated power of {/:Italic h}, fitted.'
note_1 = fits > 0 ? fitted : ''
note_2 = fits > 0 ? '{/:Italic h} = {/:Italic c}_1 log({/:Italic T})/{/:Italic T}' : ''
load ARG1
set xlabel 'steps {/:Italic T}' offset 0,0.3
do for [f in formats] {
    eval begin(f)
    do for [p=1:panels] {
        eval panel(p)
        plot for [s=1:samplers] table using (at(p, s, 'measured')):8 with lines lc rgb colour(s) lw 1.2 dt dash(s) notitle, \
             for [s=1:samplers] table using (at(p, s, 'fit')):8 with lines lc rgb 'black' lw 1 notitle, \
             for [s=1:samplers] table using (at(p, s, 'measured')):8 with points lc rgb colour(s) \
                 pt symbol(s) ps symbol_size(s) notitle, \
             for [s=1:samplers] keyentry with linespoints lc rgb colour(s) lw 1.2 dt dash(s) pt symbol(s) ps symbol_size(s) \
                 title key_text(p, s)
    }
    eval end
}
