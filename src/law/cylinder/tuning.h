/* Tuning constants of the cylinder engine: unit, what it is, how it was found ("bound": by the formula; "not
 * recorded": by trial), and, where that is known, what changes at twice the value. See law/tuning.h for the words;
 * the two laws measured are of components of widths 0.7 and 1 at -1 and 1 in 4 and 32 dimensions (ddpm, T = 48). */
#ifndef LAW_CYLINDER_TUNING_H
#define LAW_CYLINDER_TUNING_H

/* [log noise] Between two checks. Found: as in the plane. */
#define CYLINDER_CHECK_STRIDE 0.7
/* [E_p|r - 1|, p the component] That all patches of a component may add in all steps together. Found: radii of some
 * 1e-5 of TV. */
#define CYLINDER_TOLERANCE 1e-4
/* [L1(p)] That they may add in a stage in any case. Found: rounding. */
#define CYLINDER_LEAST_TOLERANCE 8e-16
/* [h^2] E_p|r - 1| is taken to be at least this: where it is smaller it will grow. Found: not recorded. Twice: no
 * change. */
#define CYLINDER_EXPECTED_DISTANCE 0.1
/* [power of the resolution] By which tolerances fall. Found: as in the plane. */
#define CYLINDER_TOLERANCE_POWER 8.0
/* [1/(d omega)] Rounding in a stage is PATCH_ROUNDING (1 + this times d omega). Found: as in the radius. */
#define CYLINDER_ROUNDING_TERMS 0.25

/* ---- Patches ---- */

/* [log mass] Of a component, beyond which nothing is covered. Found: bound: e^-36. */
#define CYLINDER_REACH 36.0
/* [log mass] Towards an axis that a component's mass comes near, the bound on the mass beyond counts at most so much,
 * so that the grid ends at the axis and nowhere before. Found: not recorded. Twice: no change. */
#define CYLINDER_AXIS_REACH 18.0
/* [standard deviations] Length over which log r changes, for sides of patches. Found: measured: time. */
#define CYLINDER_SCALE 1.6
/* [CYLINDER_SCALE] Side of a patch at the start. Found: as in the plane. */
#define CYLINDER_FIRST_SIDE 2.5
/* [values on a patch] No tail of a polynomial is asked to be smaller than this times 1 + d h. Found: rounding. */
#define CYLINDER_TAIL_FLOOR 3e-14
/* [mass of q] Patches with more of it share their order. Found: measured: a third of the patches, without jumps
 * between them. */
#define CYLINDER_SHARED_MASS 1e-3
/* [order] Of all patches at the start. Found: not recorded. Twice: no change. */
#define CYLINDER_FIRST_ORDER 3

/* [patches] Of one component in a stage; a law that needs more is refused. Found: ordinary laws have some hundreds,
 * and where h is 1/2 in few dimensions no number does. */
#define CYLINDER_MOST_PATCHES 1500

/* ---- Quadrature ---- */

/* [scales of the quadrature] Distance from the axis from which rules on the whole line are used. Found: bound: weight
 * e^-32 at the axis. */
#define CYLINDER_CLEAR 8.0
/* [n V] Rules on the whole line are not used where rho^2 is less than this, for its relative changes are large.
 * Found: not recorded. Twice: no change. */
#define CYLINDER_LEAST_SQUARE 0.04
/* [scales of the quadrature] To which a rule that is cut at the axis reaches. Found: bound: mass 1e-19 beyond. */
#define CYLINDER_CUT_REACH 9.0
/* [points] Evaluated together, at most, unless those of a single rho are more. Found: cache. */
#define CYLINDER_TOGETHER 4096

/* ---- Columns of the finished law ---- */

/* [standard deviations] Width of the density of columns along the axis. Found: as PLANE_ROW_STRETCH. */
#define CYLINDER_COLUMN_STRETCH 3.0
/* [columns] For each component. Found: as PLANE_ROWS_PER_SCALE. */
#define CYLINDER_COLUMNS_EACH 500.0
/* [standard deviations] Distance along the axis up to which there are columns, and patches. Found: bound: mass e^-36
 * beyond. */
#define CYLINDER_COLUMN_REACH 8.5
/* [standard deviations] Length of panels on a column. Found: not recorded. Twice: time 0.81. */
#define CYLINDER_PANEL 1.5
/* [tolerance of E_p|r - 1|] That panels' interpolation may add. Found: not recorded. Twice: no change. */
#define CYLINDER_PANEL_SHARE 0.05

/* ---- A codeword's law ---- */

/* [dimensions] From which on. Found: measured: what straight sides of panels cut off changes m_1, -0.52 and -0.37, by
 * 6e-3 in 4 dimensions and 1.4e-5 in 8. */
#define CONDENSATION_LEAST_DIMENSION 8
/* [dimensions] Below which panels are shorter towards their ends, in proportion. Found: measured: as above. */
#define CONDENSATION_ROUND_DIMENSION 20.0
/* Nodes along l and along u; reach, depth, length, ends; tolerance and least order along l, order along the front,
 * nodes of rules that end at the axis; nodes of the final quadrature. Found: measured, one after the other at d = 64,
 * h d = 2: 16 nodes along u in place of 10 change m_1 of ddpm by 6e-4, 20 by 1e-6; 12 nodes along l in place of 10
 * change |Q - w| of accelerated, 4e-3, by 4e-6, 14 by 1e-7; a tolerance of 1e-11 in place of 1e-10 changes that of
 * runge-kutta-3, 5e-4, by 7e-7; and at h d = 1/3 a least order of 4, 5 nodes, leaves m_1 of runge-kutta-4 an error of
 * 1.1e-6, where one of 6 finds -6.2e-8, that of the crossing law. */
#define CONDENSATION_FINE \
    { \
        .nodes = {13, 17}, .extent = {.reach = 24.0, .depth = 20.0, .length = 6.0, .ends = 1.0}, \
        .orders = {.tolerance = 1e-11, .least = 6, .front = 5, .cut = 40}, .expectation = 48 \
    }
#define CONDENSATION_COARSE \
    { \
        .nodes = {12, 15}, .extent = {.reach = 22.0, .depth = 19.0, .length = 6.0, .ends = 1.0}, \
        .orders = {.tolerance = 1e-10, .least = 5, .front = 4, .cut = 36}, .expectation = 40 \
    }
/* [quadrature order] In both directions of the last transition, whose noise is as wide as the codeword: 24 nodes.
 * Found: measured: its mass is that before it to 4e-9. */
#define CONDENSATION_WIDE_ORDER 13
/* [log-likelihood ratio] Standard deviation of a step's noise. Found: bound: the finest rule in use has nodes 0.13 of
 * it apart, and the error exp(-2 pi^2/(0.13 sd)), 1e-11 there. */
#define CONDENSATION_MOST_SPREAD 6.0
/* [scales of the quadrature] Distance from the axis from which turned rules are used. Found: bound: weight e^-18 at
 * the axis. */
#define CONDENSATION_CLEAR 6.0
/* [scales of the quadrature] To which rules that end at the axis reach beyond the middle. Found: bound: mass 1e-11
 * beyond. */
#define CONDENSATION_CUT_REACH 6.8
/* [V] rho^2 is taken to be at least so much, as D/rho is not finite on the axis. Found: bound: log r is a function of
 * rho^2, and changes by no more than rounding. */
#define CONDENSATION_LEAST_SQUARE 1e-12
/* [places] Between l = 0 and the codeword's typical l. Found: bound: the density's logarithm is nearly parabolic. */
#define CONDENSATION_OVER_PLACES 16
/* [reach along the axis] Of the final quadrature in rho/sd, around sqrt(n). Found: bound: for n >= 7 the density of
 * chi there, over its largest, is below that of N(0, 1) at the reach along the axis. */
#define CONDENSATION_CHI_REACH 0.85
/* [mass] Of a node of the final quadrature, that it counts. Found: bound: some 10^5 nodes together are below 1e-13.
 */
#define CONDENSATION_LEAST_WEIGHT 1e-18

#endif
