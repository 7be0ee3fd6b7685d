# The look of every figure: Okabe-Ito colours, open border, light grid, exponents in the key. gnuplot only draws:
# every number, slope and interval comes from NAME.vars.gp, which diffrate writes,
# with the rows of NAME.tsv that are drawn.
# A script (ARG1: this file, ARG2: NAME, ARG3: what the names of images end in, to be renamed) sets name, key_lines, ytext, note_1 and note_2 (the foot), loads this, draws:
#     do for [f in formats] { eval begin(f); do for [p=1:panels] { eval panel(p); plot ... }; eval end }
set encoding utf8
set datafile separator tab
set datafile columnheaders
set datafile missing NaN
set border 3 linewidth 0.8 lc rgb '#444444'
set tics nomirror out scale 0.7 textcolor rgb '#222222'
set grid xtics ytics lt 1 lw 0.5 lc rgb '#e6e6e6'
set logscale xy
set format x "10^{%L}"
set format y "10^{%L}"
BLUE='#0072B2'; VERMILION='#D55E00'; GREEN='#009E73'; PURPLE='#CC79A7'; SKY='#56B4E9'; ORANGE='#E69F00'
INDIGO='#4B2E83'; OLIVE='#8A8A00'; GREY='#8a8a8a'; INK='#222222'

# Samplers: colour by their place among all samplers, dashed if deterministic; shape and size by their place in the experiment, the first below
# the others and largest, so that curves that coincide all show.
palette = VERMILION.' '.PURPLE.' '.GREEN.' '.BLUE.' '.ORANGE.' '.SKY.' '.INDIGO.' '.OLIVE
colour(s) = rgb(word(palette, (int(word(colours, (s - 1) % samplers + 1)) - 1) % words(palette) + 1))
set dashtype 6 (12,6)
dash(s) = int(word(deterministic, (s - 1) % samplers + 1)) ? 6 : 1
rgb(text) = int('0x'.text[2:])
symbol(s) = int(word('5 7 13 15 5 7', (s - 1) % samplers % 6 + 1))
symbol_size(s) = real(word('1.3 1.0 1.2 0.9 0.9 0.9', (s - 1) % samplers % 6 + 1))
# Where symbols stand for score errors instead: series are samplers times kinds of score error.
kind_symbol(s) = int(word('7 5 9 13', (s - 1)/samplers % 4 + 1))
kind_size(s) = 1.5 - 0.9*((s - 1) % samplers)/samplers
HOLE = 0.55 # an open symbol is a filled one with a white one of this relative size on it: no line shows through

# Censored points of several curves would coincide at the largest T: each curve gets a row of its own above it.
lift(s) = 1.25**s
# Those at the smallest T are drawn inside each other.
nested(s, count) = 1.4 - (s - 1.0)/count

# Dimensions, from cold to warm.
shades = SKY.' '.BLUE.' '.GREEN.' '.ORANGE.' '.VERMILION.' '.PURPLE
shade_of(s, count) = rgb(word(shades, count < 2 ? 2 : 1 + int((s - 1)*(words(shades) - 1.0)/(count - 1) + 0.5)))
# Estimates: column 9 is the value, 10 its standard error; a limit is an arrow down from column 8.
# The colours of estimators are none of ddpm and accelerated.
ERROR = 2.0
LENGTH = 0.35
inks = PURPLE.' '.ORANGE.' '.OLIVE.' '.INDIGO.' '.SKY.' '.GREEN.' '.GREY
ink(e) = rgb(word(inks, (e - 1) % words(inks) + 1))
sign(e) = int(word('7 5 11 9 13 15 11', (e - 1) % 7 + 1))
# The points of one kind of a series in a panel, of which `table` has the rows.
at(p, s, k) = column("panel") == p && column("series") == s && strcol("kind") eq k ? column(7) : NaN

set xrange [xmin:xmax]
set yrange [ymin:ymax]

# Panels, up to three a row, in pixels of the SVG. Keys stand above their panel: no curve can run into them.
columns = exists('across') ? across : panels < 3 ? panels : 3
rows = (panels + columns - 1)/columns
panel_width = columns == 1 ? (exists('long_note') ? 640 : 520) : exists('longest_name') && longest_name > 16 ? 385 : 335; panel_height = 300
left_space = 100; between = 30; line_height = 24; below = 66
two_lines = columns < 3 || exists('long_note')
foot = two_lines ? 56 : 36
note = note_1.(two_lines ? "\n" : '   ').note_2.(left_out > 0 ? sprintf('   %d more panels: in the table.', left_out) : '')
key_text(p, s) = value(sprintf('key_%d_%d', p, s))
above = 44 + line_height*key_lines
width = left_space + columns*(panel_width + between)
height = rows*(panel_height + above + below) + foot

# Strings for eval. begin: a terminal and its file; panel: the frame of panel p, its title and the place of its key.
formats = 'svg png'
svg = sprintf("svg size %d,%d enhanced font 'DejaVu Sans,15' linewidth 1.4 background rgb 'white'", width, height)
png = sprintf("pngcairo size %d,%d enhanced font 'DejaVu Sans,15' fontscale 1.5 linewidth 2.1 pointscale 1.5", \
              1.5*width, 1.5*height)
begin(format) = sprintf("set terminal %s; set output '%s.%s%s'; set multiplot", \
                        format eq 'svg' ? svg : png, name, format, ARG3)
column_of(p) = (p - 1) % columns
left(p) = (left_space + column_of(p)*(panel_width + between))/real(width)
top(p) = 1.0 - ((p - 1)/columns*(panel_height + above + below) + above)/real(height)
panel(p) = sprintf("set lmargin at screen %f; set rmargin at screen %f;", \
                   left(p), left(p) + panel_width/real(width)) \
    .sprintf("set tmargin at screen %f; set bmargin at screen %f;", top(p), top(p) - panel_height/real(height)) \
    .sprintf("table = '$panel_%d';", p) \
    .sprintf("set label 1 title_%d at graph 0, screen %f left font ',16' textcolor rgb INK;", \
             p, top(p) + (above - 20.0)/height) \
    .sprintf("set key at graph 0, screen %f left top vertical maxcols 1 reverse Left samplen 2.5 width -4 height 0 " \
             ."spacing %f font ',14' textcolor rgb INK;", top(p) + (above - 32.0)/height, 1.1) \
    .(column_of(p) == 0 ? "set format y '10^{%L}';" : "set format y '';") \
    .(column_of(p) == 0 ? sprintf("set label 3 ytext at screen %f, graph 0.5 center rotate font ',15';", 24.0/width) \
                        : "unset label 3;") \
    .(p == 1 ? sprintf("set label 2 note at screen %f,%f left font ',13' textcolor rgb '#555555'", \
                       left_space/real(width), (foot - 20.0)/height) : "unset label 2")
end = 'unset multiplot; unset output'
