/* Tuning constants of the line engine: unit, what it is, how it was found ("bound": by the formula; "not
 * recorded": by trial), and what breaks at twice the value. See law/tuning.h for the words. */
#ifndef LAW_LINE_TUNING_H
#define LAW_LINE_TUNING_H

/* ---- Tolerances and rounding (law/line/check.c). ---- */

/* [log noise] Between two checks. Found: not recorded. Twice: time 0.87, radius up to 3.17. */
#define LINE_CHECK_STRIDE 0.25
/* [E_p|r - 1|] That quadrature may add in all steps together; or as much as rounding, if that is more. Found:
 * radii below 5e-6 of E_p|r - 1|. Twice: radius up to 2.65. */
#define LINE_TOLERANCE 5e-7
/* [power of the resolution] By which LINE_TOLERANCE falls. Found: not recorded. Twice: no change. */
#define LINE_TOLERANCE_POWER 6.0
/* [L1(p) over noise in standard deviations of the narrowest component] Rounding in a stage. Found: measured: a
 * third of this. Twice: no change. */
#define LINE_ROUNDING_PER_NOISE 3e-15
/* [L1(p) for each component besides one] Rounding in a stage. Found: measured: a third of this. Twice: no
 * change. */
#define LINE_ROUNDING_PER_COMPONENT 1e-16
/* [L1(p)] What is taken for rounding in a stage, at most. Found: measured: a third of this. Twice: no change. */
#define LINE_ROUNDING_MOST 3e-16

/* ---- Choice of the quadrature order (law/line/check.c). ---- */

/* [tolerances] An order that was raised is raised until its error is below this, and a lower one is taken for the
 * steps to come if its error is, for the error to rise up to the next check. Found: measured: where lower orders may
 * have half the tolerance radii are up to 2.7 times as large, and laws of many components take 2 % fewer
 * exponentials. */
#define LINE_HEADROOM 0.1
/* [error of the order below] One more order that leaves so much of the error shows that the grid limits it, or
 * rounding. Found: not recorded. Twice: no change. */
#define LINE_STALLED_GAIN 0.4
/* [tolerances] So near the tolerance is a lattice whose grid may be to blame. Found: not recorded. Twice: no
 * change. */
#define LINE_STALLED_BELOW 100.0
/* [interpolation error of the panel] Kinks where panels meet may be as much of the quadrature error: no order takes
 * them away, while in panels with little mass they may be above the tolerance. Found: measured: there it is 0.5 to 10
 * times the interpolation error. Twice: not measured. */
#define LINE_KINKS 10.0
/* [error of the present order] A lower order with no more than this is taken where rounding hides the error. Found:
 * not recorded. Twice: no change. */
#define LINE_LOWER_NO_WORSE 1.5
/* [power of the mass] Of quadrature a panel of mass m, one of n, may have the relative error (n m)^-LINE_SHARE_POWER
 * tolerance: the errors of all panels are below the tolerance in L1(q). Found: measured: at 1 radii of KL are 100
 * times as large, at 1/2 laws of many components take 1.5 times the time. */
#define LINE_SHARE_POWER (2.0 / 3.0)
/* [1] The relative error of r in a panel, of all steps together, at most where there is mass: at the ends of the grid
 * the slope of log r is needed. Found: measured: without it log r rises towards some ends, and KL(q|p) is not known.
 */
#define LINE_PANEL_MOST 1e-2
/* [1, of a component] Less is no mass. Found: bound: that of panels at the ends is 1e-20. */
#define LINE_PANEL_LEAST_MASS 1e-25
/* [rounding in a stage] The relative error in a panel below which no order is raised, nor kept: few points are more
 * uneven than all of them. Found: measured: without it orders of steps whose error is rounding rise beyond all need,
 * and do not fall again. */
#define LINE_PANEL_ROUNDINGS 2.0
/* [orders] Given up in a check, at most: where no mass is, nothing shows that a rule is too coarse. Found: not
 * recorded. Twice: no change. */
#define LINE_MOST_DESCENT 2

/* [tau] Farther than this from where quadrature looks for it, mass is looked for by cells (law/line/reach.h). Found:
 * measured: without cells there, m of rare components is off by 400 radii. Twice: no change. */
#define LINE_FAR 2.0

/* ---- Panels (law/line/check.c, law/line/stage.c). ---- */

/* [tolerance of quadrature] That interpolation may add, or as much as rounding. Found: measured: laws take a sixth
 * less time than at a quarter of it, radii are up to 1.9 times those. Twice: radius up to 1.5. */
#define LINE_INTERPOLATION_PART 0.2
/* [tolerance of interpolation] Panels become longer where the longer ones would add no more. Found: at
 * three times this a law of many components takes twice the time. Twice: radius up to 1.04, radius down to 0.933. */
#define LINE_LENGTHEN_BELOW 0.1
/* [1] Panels become longer by this factor. Found: not recorded. Twice: time 1.07, radius up to 1.15, radius down
 * to 0.931. */
#define LINE_LENGTHENING 1.25
/* [times] They become longer, at most. Found: not recorded. Twice: radius up to 1.03. */
#define LINE_MOST_LENGTHENINGS 4
/* [tolerance of interpolation] Panels are laid out anew in every step where moving them along would add more.
 * Found: not recorded. Twice: no change. */
#define LINE_RELAY_ABOVE 0.03
/* [rounding] Polynomials stay as they are where the error of that is below it, or below the tolerance: they do
 * not suffer rounding. Found: not recorded. Twice: no change. */
#define LINE_UNCHANGED_PART 0.02
/* [that, or the tolerance] The error of leaving them as they are is below it. Found: not recorded. Twice: not
 * measured. */
#define LINE_UNCHANGED_BELOW 0.5

/* ---- Steps without quadrature (law/line/increments.h). ---- */

/* [1] Steps by increments times the largest eigenvalue of a step's diffusion, at most. Found: measured: at 1 radii of
 * some laws become ten times larger, at 0.25 none. Twice: not measured. */
#define LINE_INCREMENTS_STABLE 0.25
/* [tolerance of polynomials that stay as they are] The error of an increment is below it. Found: rounding, which is
 * the same in all the steps, stays below the tolerance. Twice: not measured. */
#define LINE_INCREMENTS_BELOW 0.1
/* [1] Of the variances of steps by which others are made, each is no larger than this part of the one before.
 * Found: not recorded. Twice: not measured. */
#define LINE_INCREMENTS_APART 0.98

/* ---- Score errors that jump or oscillate (law/line/stage.c). ---- */

/* [noise in one step] Of panels beside a jump that it blurs. Found: measured interpolation error. Twice: radius
 * up to 1.12, radius down to 0.929. */
#define LINE_JUMP_LENGTH 1.5
/* [1/wave number] Of panels under a wave, but no shorter than what the noise leaves of it. Found: measured
 * interpolation error. Twice: radius up to 1.05. */
#define LINE_WAVE_LENGTH 6.0
/* [noise in one step] To which quadrature reaches beside a jump. Found: bound: mass 1e-17 beyond. Twice: time
 * 1.30, radius down to 0.724, moves 0.05. */
#define LINE_JUMP_REACH 8.6
/* [noise in one step] And at most, where jumps throw farther than the noise. Found: not recorded. Twice: no
 * change. */
#define LINE_JUMP_MOST_REACH 30.0
/* [standard deviations of the narrowest component] A jump that moves points by less is left to rounding. Found:
 * bound: moves less mass than this. Twice: no change. */
#define LINE_JUMP_NEGLIGIBLE 1e-14

/* ---- Lattices and threads (law/line/transfer_lattice.c, law/line/transfer.c). ---- */

/* [standard deviations of the node weights] On either side that a lattice covers. Found: bound: mass 1e-17
 * beyond. Twice: time 1.11. */
#define LINE_LATTICE_REACH 8.6
/* [half width of a panel] Lattices and cells serve for no less noise: their rounding is relative to 1 instead of to
 * the noise. Found: as a twentieth of a standard deviation. Twice: not measured. */
#define LINE_LATTICE_NOISE 0.1
/* [log mass, in units of the component] No cell with less is bisected. Found: bound: mass 1e-33. */
#define LINE_CELL_NEGLIGIBLE (-75.0)
/* [tau times the tail that a rule allows] No cell that is shorter is bisected. Found: bound: it holds 0.04 of that
 * error. */
#define LINE_CELL_SHORTEST 0.1
/* [noise in one step] Cells reach as far beyond the reach of the noise as a point moves, but at most so far. Found:
 * not recorded. */
#define LINE_CELL_FARTHEST 60.0
/* [exponentials] Less work is not shared between threads. Found: measured: some 20 microseconds; a loop of a team
 * costs one, and five where threads sleep. Twice: not measured (none of these laws depends on it). */
#define LINE_SHARED_COST 1e4

/* [1] Where a component has less weight, its local errors are added to those in L1(q) by this factor in what checks
 * choose, so that rare components are resolved too. Found: radius. At e^-51 the radius of m falls from 3 to below
 * 1e-6. */
#define LINE_RARE 1e-3

#endif
