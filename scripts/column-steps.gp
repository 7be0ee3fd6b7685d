# What claims are about besides TV, drawn like it.
what = 'value'
script = ARG1[1:strlen(ARG1) - strlen('style.gp')].'tv-steps.gp'
call script ARG1 ARG2 ARG3
