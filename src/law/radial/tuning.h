/* Tuning constants of the radial engine: unit, what it is, how it was found ("bound": by the formula; "not
 * recorded": by trial), and what breaks at twice the value. See law/tuning.h for the words. */
#ifndef LAW_RADIAL_TUNING_H
#define LAW_RADIAL_TUNING_H

/* ---- Tolerances and rounding (law/radial/stage.c). ---- */

/* [log noise] Between two checks. Found: as on the line. Twice: not measured. */
#define RADIAL_CHECK_STRIDE 0.25
/* [E_p|r - 1|] That quadrature may add in all steps together. Found: radii below 5e-6 of E_p|r - 1|. Twice: not
 * measured. */
#define RADIAL_TOLERANCE 3e-7
/* [L1(p)] That it may add in a stage in any case. Found: rounding. Twice: not measured. */
#define RADIAL_LEAST_TOLERANCE 8e-16
/* [L1(p)] Rounding in a stage. Found: as on the line. Twice: not measured. */
#define RADIAL_ROUNDING 3e-16
/* [d omega] By so much rounding grows: the logarithm of one step's weights has terms of this size
 * (law/radial/transfer.c). Found: measured. Twice: not measured. */
#define RADIAL_ROUNDING_TERMS 0.25
/* [tolerances] An error below this that the next lower order does not enlarge is taken for rounding. Found: not
 * recorded. Twice: not measured. */
#define RADIAL_STALLED_BELOW 30.0
/* [mass of q] Where more is lost beyond the grid, E_p|r - 1| is not known, and the kink of r at the grid's end
 * need not be resolved. Found: not recorded. Twice: not measured. */
#define RADIAL_LOST_MASS 0.02
/* [RADIAL_TOLERANCE times the lost mass] That quadrature may add there. Found: not recorded. Twice: not
 * measured. */
#define RADIAL_LOST_FACTOR 3e3

/* ---- Panels (law/radial/panels.c; others in law/tuning.h). ---- */

/* [distance of a shell's end from its centre] Up to which panels do not grow. Found: measured interpolation
 * error (test_radial_parts.c). Twice: not measured. */
#define RADIAL_PANEL_FLAT 0.75
/* [log mass] Beyond either end of a shell, at most. Found: Chernoff bound: e^-150. Twice: not measured. */
#define RADIAL_SHELL_LOG_MASS 150.0
/* [log density] Crossings of two components so far below the largest density do not bend the score. Found:
 * bound: 3e-4 of it. Twice: not measured. */
#define RADIAL_CROSSING_LOG_WEIGHT 8.0

/* ---- Quadrature (law/radial/stage.c, law/radial/transfer.c). ---- */

/* [scales of the quadrature] To which pieces are integrated, at the origin or beside a jump. Found: bound: mass
 * 1e-19 beyond. Twice: not measured. */
#define RADIAL_REACH 9.0
/* [scales of the quadrature] And at most, where jumps throw farther than the noise. Found: not recorded. Twice:
 * not measured. */
#define RADIAL_MOST_REACH 30.0
/* [scales of the quadrature] Rules on the whole line are used so far from the origin. Found: not recorded.
 * Twice: not measured. */
#define RADIAL_ORIGIN_CLEAR 16.0
/* [scales of the quadrature] By so much the outermost node stays away from the origin. Found: not recorded.
 * Twice: not measured. */
#define RADIAL_ORIGIN_MARGIN 0.5
/* [(nu^2 + z^2)^(1/2)] From which the uniform expansion is used; below, the power series is short. Found: bound:
 * its last terms are 4e-17 there. Twice: not measured. */
#define BESSEL_UNIFORM_FROM 40.0
/* [1] Terms of the power series relative to 1 at which it ends. Found: rounding. Twice: not measured. */
#define BESSEL_NEGLIGIBLE 1e-18

#endif
