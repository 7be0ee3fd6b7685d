/* Tuning constants of the radial engine: unit, what it is, how it was found ("bound": by the formula; "not
 * recorded": by trial), and what breaks at twice the value. See law/tuning.h for the words. */
#ifndef LAW_RADIAL_TUNING_H
#define LAW_RADIAL_TUNING_H

/* ---- Tolerances and rounding (law/radial/stage.c). ---- */

/* [log noise] Between two checks. Found: as on the line. Twice: time 1.12, radius up to 662, radius down to
 * 0.806, moves 0.11. */
#define RADIAL_CHECK_STRIDE 0.25
/* [E_p|r - 1|] That quadrature may add in all steps together. Found: radii below 5e-6 of E_p|r - 1|. Twice:
 * radius up to 3.37, moves 0.14. */
#define RADIAL_TOLERANCE 3e-7
/* [L1(p)] That it may add in a stage in any case. Found: rounding. Twice: no change. */
#define RADIAL_LEAST_TOLERANCE 8e-16
/* [L1(p)] Rounding in a stage. Found: as on the line. Twice: radius down to 0.963. */
#define RADIAL_ROUNDING 3e-16
/* [d omega] By so much rounding grows: the logarithm of one step's weights has terms of this size
 * (law/radial/transfer_noise.c). Found: measured. Twice: radius down to 0.963. */
#define RADIAL_ROUNDING_TERMS 0.25
/* [tolerances] An error below this that the next lower order does not enlarge is taken for rounding. Found: not
 * recorded. Twice: no change. */
#define RADIAL_STALLED_BELOW 30.0
/* [error of the present order] Not enlarged means no more than this. Found: not recorded. Twice: radius up to
 * 1.74. */
#define RADIAL_STALLED_GAIN 2.0
/* [tolerances] A lower order with no more error is taken for the steps to come. Found: as on the line. Twice:
 * radius up to 1.84, moves 0.07. */
#define RADIAL_LOWER_BELOW 0.5
/* [mass of q] Where more is lost beyond the grid, E_p|r - 1| is not known, and the kink of r at the grid's end
 * need not be resolved. Found: not recorded. Twice: no change. */
#define RADIAL_LOST_MASS 0.02
/* [RADIAL_TOLERANCE times the lost mass] That quadrature may add there. Found: not recorded. Twice: no change. */
#define RADIAL_LOST_FACTOR 3e3

/* ---- Panels (law/radial/panels.c; others in law/tuning.h). ---- */

/* [distance of a shell's end from its centre] Up to which panels do not grow. Found: measured interpolation
 * error (test_radial_parts.c). Twice: time 1.08, radius down to 0.123. */
#define RADIAL_PANEL_FLAT 0.75
/* [log mass] Beyond either end of a shell, at most. Found: Chernoff bound: e^-150. Twice: time 1.29, radius down
 * to 0.16. */
#define RADIAL_SHELL_LOG_MASS 150.0
/* [log density] Crossings of two components so far below the largest density do not bend the score. Found:
 * bound: 3e-4 of it. Twice: no change. */
#define RADIAL_CROSSING_LOG_WEIGHT 8.0

/* ---- Quadrature (law/radial/stage.c, law/radial/transfer_noise.c). ---- */

/* [scales of the quadrature] To which pieces are integrated, at the origin or beside a jump. Found: bound: mass
 * 1e-19 beyond. Twice: radius down to 0.956. */
#define RADIAL_REACH 9.0
/* [scales of the quadrature] And at most, where jumps throw farther than the noise. Found: not recorded. Twice:
 * no change. */
#define RADIAL_MOST_REACH 30.0
/* [scales of the quadrature] Rules on the whole line are used so far from the origin. Found: not recorded.
 * Twice: radius up to 2.3, radius down to 0.297, moves 0.10. */
#define RADIAL_ORIGIN_CLEAR 16.0
/* [scales of the quadrature] By so much the outermost node stays away from the origin. Found: not recorded.
 * Twice: no change. */
#define RADIAL_ORIGIN_MARGIN 0.5

#endif
