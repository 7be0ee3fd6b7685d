# Densities in the plane: p_1 and q_1 on one scale (viridis, perceptually uniform), q_1 - p_1 on one around 0 (blue, white, red).
name = ARG2
load name.'.vars.gp'
set encoding utf8
set datafile separator tab
set datafile columnheaders
INK = '#222222'
set border 15 linewidth 0.8 lc rgb '#444444'
set tics out scale 0.6 nomirror textcolor rgb INK
set size ratio -1
set xrange [left:left + side]
set yrange [low:low + side]
unset key
viridis = "set palette defined (0 '#440154', 1 '#482878', 2 '#3e4989', 3 '#31688e', 4 '#26828e', 5 '#1f9e89', 6 '#35b779', 7 '#6ece58', 8 '#b5de2b', 9 '#fde725')"
around_0 = "set palette defined (0 '#053061', 1 '#2166ac', 2 '#4393c3', 3 '#92c5de', 4 '#d1e5f0', 5 '#f7f7f7', 6 '#fddbc7', 7 '#f4a582', 8 '#d6604d', 9 '#b2182b', 10 '#67001f')"
# In pixels of the SVG.
panel = 300; before = 74; bar = 14; after = 84; between = 10; above = 74; below = 74
width = 3*(before + panel + bar + after); height = panel + above + below
begin(format) = sprintf("set terminal %s; set output '%s.%s%s'; set multiplot", format eq 'svg' \
    ? sprintf("svg size %d,%d enhanced font 'DejaVu Sans,14' background rgb 'white'", width, height) \
    : sprintf("pngcairo size %d,%d enhanced font 'DejaVu Sans,14' fontscale 2 linewidth 2 background rgb 'white'", 2*width, 2*height), \
    name, format, ARG3)
at(p) = (before + (p - 1)*(before + panel + bar + after))/real(width)
top = 1.0 - above/real(height)
bottom = below/real(height)
frame(p, text) = sprintf("set lmargin at screen %f; set rmargin at screen %f; set tmargin at screen %f; set bmargin at screen %f;", \
                         at(p), at(p) + panel/real(width), top, bottom) \
    .sprintf("set label 1 '%s' at graph 0, screen %f left font ',16' textcolor rgb INK;", text, top + 16.0/height) \
    .sprintf("set colorbox user origin %f,%f size %f,%f;", at(p) + (panel + between)/real(width), bottom, \
             bar/real(width), panel/real(height)) \
    .(p == 1 ? sprintf("set label 2 title at screen %f, screen %f left font ',16' textcolor rgb INK;", at(1), 1.0 - 20.0/height) \
             : "unset label 2;")
set xlabel '{/:Italic x}_1' offset 0,0.3
set ylabel '{/:Italic x}_2' offset 1.2,0 norotate
step = 10**floor(log10(side))
step = step*(side/step > 5 ? 2 : side/step > 2 ? 1 : 0.5)
set xtics step
set ytics step
set format '%g'
set minussign
set cbtics out scale 0.5 offset -0.6,0 font ',12'
do for [f in 'svg png'] {
    eval begin(f)
    eval viridis
    set cbrange [0:highest]
    eval frame(1, 'density {/:Italic p}_1 of {/:Italic X}_1')
    plot name.'.tsv' using 1:2:3 with image
    eval frame(2, 'density {/:Italic q}_1 of {/:Italic Y}_1')
    plot name.'.tsv' using 1:2:4 with image
    eval around_0
    set cbrange [-farthest:farthest]
    eval frame(3, 'difference {/:Italic q}_1 − {/:Italic p}_1')
    plot name.'.tsv' using 1:2:5 with image
    unset multiplot
    unset output
}
