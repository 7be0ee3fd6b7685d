/* Tuning constants of the driver and of what the engines share: unit, what it is, how it was found ("bound": by
 * the formula; "not recorded": by trial), and what breaks at twice the value. "Time" and "radius" are ratios to
 * what the value as it is gives (user time; the largest and the smallest ratio of two radii of TV), "moves" is
 * the largest change of a TV in units of the sum of both radii, and "no change" one of less than 6 %, 2 % and
 * 0.05. They are of ten laws on the line (three components of widths 0.3, 0.1 and 0.01 under four samplers; two
 * components under two samplers with a wave, a sign error or neither; T = 512), twelve in the radius (two
 * shells, d = 3, 100 and 10000, four samplers, T = 256) and one in the plane (three components, T = 64); those
 * of this file of the ten and two of the twelve. */
#ifndef LAW_TUNING_H
#define LAW_TUNING_H

/* ---- Steps that are checked (law/propagate.c). ---- */

/* [steps] At most so many from one check to the next, however little the noise changes in them. Found: not
 * recorded. Twice: no change. */
#define CHECK_MOST_STEPS 64.0
/* [log noise] Between two checks while steps leave the law unchanged: their local error falls with the noise.
 * Found: not recorded. Twice: radius up to 1.18. */
#define CHECK_STRIDE_UNCHANGED 1.0
/* [steps] The last ones, each of which is checked: samplers that look at the step after end differently. Found:
 * the samplers of the list. Twice: no change. */
#define CHECK_LAST_STEPS 3
/* [standard deviations] Of the random walk of rounding errors that the radius holds. Found: convention. Twice:
 * no change. */
#define ROUNDING_DEVIATIONS 3.0

/* ---- Quadrature orders. ---- */

/* [tolerances] Above this error an order is raised by ORDER_SKIP, not by one. Found: not recorded. Twice: no
 * change. */
#define ORDER_SKIP_ABOVE 1e4
/* [orders] Raised at a time above ORDER_SKIP_ABOVE. Found: not recorded. Twice: radius down to 0.954. */
#define ORDER_SKIP 3
/* [orders] Added by twice the resolution. Found: not recorded. Twice: no change. */
#define ORDERS_PER_DOUBLING 3.0
/* [standard deviations] On either side that trapezoid rules cover. Found: bound: normal mass 2e-23 beyond.
 * Twice: no change. */
#define TRAPEZOID_REACH 10.0
/* [standard deviations] At most so long are Gauss-Legendre pieces between jumps. Found: measured: the normal
 * weight to 1e-14 from 12 nodes on. Twice: radius up to 1.77, radius down to 0.709, moves 0.06. */
#define PIECE_LENGTH 2.5

/* ---- Panels (law/mixture_panels.c, law/radial/panels.c); what their interpolation costs is part of the radius. */

/* [standard deviations] Of each component that panels cover. Found: bound: mass 1e-20 beyond. Twice: time 1.09,
 * radius up to 1.23, radius down to 0.564. */
#define PANEL_REACH 9.5
/* [standard deviations] Of a panel near a component. Found: measured interpolation error (test_line.c). Twice:
 * time 0.89, radius up to 1.91, radius down to 0.643, moves 0.06. */
#define PANEL_LENGTH 1.0
/* [standard deviations] Up to this distance from a component panels do not grow. Found: measured interpolation
 * error (test_line.c). Twice: time 1.11, radius up to 1.11, radius down to 0.314, moves 0.06. */
#define PANEL_FLAT 5.0
/* [1] Panels grow by so much with each unit of distance. Found: measured interpolation error (test_line.c).
 * Twice: radius up to 1.17, radius down to 0.426, moves 0.05. */
#define PANEL_SLOPE 1.0
/* [lengths over which the score changes] Of a panel there. Found: measured interpolation error (test_line.c).
 * Twice: time 0.90, radius up to 3.21, radius down to 0.376, moves 0.06. */
#define PANEL_BEND_LENGTH 0.7
/* [standard deviations] Gaps between components up to this width are covered: few large steps leave some of q
 * there. While a gap grows to this from nothing the log noise falls by one, and in that time the score, of tens
 * of standard deviations, brings that mass to one of the components. Found: the estimate above. Twice: no
 * change. */
#define PANEL_GAP 12.0
/* [lengths] Panels that are more than so many times as long as those for N(0, 1), with which q starts, become as
 * short as these around 0.
 * Found: measured: TV of Gaussians 2 to 50 times as wide within its radius. Twice: not measured (none of these laws
 * depends on it). */
#define PANEL_NARROW 2.0
/* [mass of q] A law is refused where quadrature at the test points finds a mass that differs from 1 by more: errors
 * measured at these points say nothing about q. Found: convention; a law with half this mass defect is refused too
 * (law/divergence.c). Twice: not measured (none of these laws depends on it). */
#define PROBE_MASS_MISSED 0.5
/* [lengths of the panels beside a jump] As PANEL_FLAT, from a jump of the score error. Found: not recorded.
 * Twice: time 1.07, radius down to 0.859. */
#define PANEL_JUMP_FLAT 2.0
/* [1] As PANEL_SLOPE, from a jump of the score error. Found: not recorded. Twice: radius up to 1.12, radius down
 * to 0.9. */
#define PANEL_JUMP_SLOPE 0.5
/* [log density] Components so far below the largest are left out of the score. Found: bound: 4e-18 of it. Twice:
 * no change. */
#define NEGLIGIBLE_LOG_WEIGHT 40.0
/* [1] The mean error over the test points of a panel is up to this factor less than over the panel, for
 * polynomials of the first degrees that the nodes miss. Found: computed. Twice: radius up to 2.02. */
#define PROBE_MISSES 1.5

/* [panels times components] Of more, resampling is shared between threads. Found: as LINE_SHARED_COST. */
#define SHARED_RESAMPLING 200

/* ---- Patches (law/patches_fill.c, law/patches_check.c); measured on laws in the plane. ---- */

/* [L1(p)] Rounding in a stage. Found: as on the line. Twice: no change. */
#define PATCH_ROUNDING 3e-16
/* [1] The largest error at the test points of a patch is up to this factor less than in the patch. Found: not
 * recorded. Twice: radius up to 1.42. */
#define PATCH_PROBE_MISSES 1.5
/* [relative error of r] No patch with mass has more: errors must not grow by exponentiation. Found: not
 * recorded. Twice: no change. */
#define PATCH_LOOSEST 0.05
/* [tolerance of a patch] A lower order with no more error is taken. It counts until the next check, though it falls
 * with the noise. Found: by trial: at 0.3 the same time, twice the radius. */
#define PATCH_LOWER_BELOW 0.05
/* [mass of q] Patches with less have at most PATCH_OUTER_ORDER. Found: not recorded. Twice: no change. */
#define PATCH_OUTER_MASS 1e-12
/* [order] Of patches with next to no mass, at most. Found: not recorded. Twice: no change. */
#define PATCH_OUTER_ORDER 5
/* [tolerance] A patch of mass m may have the relative error PATCH_SHARE m^-PATCH_SHARE_POWER times it. Found:
 * not recorded. Twice: radius up to 1.42. */
#define PATCH_SHARE 0.15
/* [power of the mass] More error where there is less mass; but neighbours must not differ by much, for an error
 * just beyond a side is a kink within. Found: not recorded. Twice: a law takes more than a minute. */
#define PATCH_SHARE_POWER (2.0 / 3.0)
/* [rounding in a stage] Steps that change less than this are left out, however little is tolerated. Found: as on the
 * line. */
#define PATCH_UNCHANGED_PART 0.02
/* [values on a patch] No tail of its polynomial is asked to be smaller. Found: rounding. Twice: no change. */
#define PATCH_TAIL_FLOOR 3e-15
/* [tolerance] A patch with less mass may have any error. Found: not recorded. Twice: no change. */
#define PATCH_NEGLIGIBLE_PART 1e-4
/* [mass of q] As may one with less than this. Found: rounding. Twice: no change. */
#define PATCH_NEGLIGIBLE_MASS 1e-18
/* [tolerance of a patch] A tail beyond this is not left as it is, but filled again with more nodes. Found: not
 * recorded. Twice: radius up to 1.1. */
#define PATCH_REFILL_ABOVE 4.0
/* [tolerance of a patch] A tail below this has two nodes less the next time. Found: by trial: at 0.05 a tenth more
 * node updates, the same radius. */
#define PATCH_FEWER_BELOW 0.3
/* [tolerance of a patch] Four patches whose common polynomial has no larger tail become one. Found: not
 * recorded. Twice: no change. */
#define PATCH_MERGE_BELOW 0.1
/* [nodes] Of the common polynomial, in a direction. Found: not recorded. Twice: not measured. */
#define PATCH_MERGE_NODES 12
/* [local scales] Side of a patch at most. Found: not recorded. Twice: no change. */
#define PATCH_LONGEST_SIDE 4.0
/* [local scales] Side below which a patch is not cut further. Found: not recorded. Twice: no change. */
#define PATCH_SHORTEST_SIDE 0.02

/* ---- Maps without noise (law/monotone.c). ---- */

/* [panel lengths] Of the stencil that differentiates D. Found: bound: (6*0.006)^6/140 of D' for polynomials of
 * degree 15, and rounding 1e-16/0.006. Twice: radius down to 0.527. */
#define STENCIL_SPACING 0.006
/* [panel lengths] The largest residual of a solution that rounding does not let be better. Found: not recorded.
 * Twice: no change. */
#define NEWTON_ACCEPTED 1e-9
/* [panel lengths] The residual at which the iteration ends. Found: rounding. Twice: no change. */
#define NEWTON_CONVERGED 1e-15
/* [D'] Where D changes faster the inverse is not left to the secant rule, for it may have found another root than
 * Newton's rule would. Found: bound: the map contracts below 1. Twice: not measured. */
#define SECANT_STEEPEST 0.5
/* [mass of q] In a panel where the map is not monotone, at most: valleys far from all modes, which panels do not
 * resolve. It is counted as error. Found: not recorded. Twice: not measured (none of these laws depends on it). */
#define MAP_IGNORED_MASS 1e-8

/* ---- Resolutions and integrals over a law (law/law.c). ---- */

/* [1] A resolution is chosen for a radius that is less than wanted by this factor. Found: by trial: few laws need a
 * third. */
#define RADIUS_MARGIN 1.5

/* [E_p|r - 1|] Radius that is enough for a law that is dear to compute (law_engine.dear). Found: convention: three
 * digits. Twice: not measured. */
#define DEAR_RADIUS 1e-3

/* [log r] Panels over which it changes by more are bisected. Found: 24 nodes integrate exp over that to
 * rounding. Twice: no change. */
#define STEEP_LOG_RATIO 8.0
/* [log r] Not where it is below this everywhere. Found: bound: 1e-26. Twice: no change. */
#define VANISHED_LOG_RATIO (-60.0)
/* [log r] Nor where it is above this: more than the density of any q. Found: not recorded. Twice: no change. */
#define DIVERGED_LOG_RATIO 200.0
/* [1] Mass that no local error explains widens the radius so many times: where q is much narrower than p, most
 * of it may lie between the points looked at. Found: up to 2.7 times the defect in L1 for Gaussians, three times
 * that. Twice: not measured (none of these laws depends on it). */
#define UNEXPLAINED_FACTOR 8.0

/* ---- Bessel functions (law/bessel.c). ---- */

/* [(nu^2 + z^2)^(1/2)] From which the uniform expansion is used; below, the power series is short. Found: bound:
 * its last terms are 4e-17 there. Twice: no change. */
#define BESSEL_UNIFORM_FROM 40.0
/* [1] Terms of the power series relative to 1 at which it ends. Found: rounding. Twice: no change. */
#define BESSEL_NEGLIGIBLE 1e-18

/* ---- What engines take for granted of a sampler (law/conditions.c). ---- */

/* [standard deviations] On either side of a component at which D is evaluated. Found: as PANEL_REACH. Twice: not
 * measured (none of these laws depends on it). */
#define CONDITION_REACH 9.5
/* [largest D of the step] Two ways to the same D may differ by it. Found: not recorded. Twice: not measured
 * (none of these laws depends on it). */
#define CONDITION_TOLERANCE 1e-10
/* [rounding of original coordinates] And by so many of it, relative to what D changes by over the reach of a
 * component. Found: not recorded. Twice: not measured (none of these laws depends on it). */
#define CONDITION_ROUNDINGS 64.0
/* [largest D/beta times standard deviation] Two steps that differ by more are unlike one another, as are those
 * whose log noise does. Found: twice what levels between two checks differ by in log noise. Twice: not measured
 * (none of these laws depends on it). */
#define CONDITION_UNLIKE 0.5
/* [h times the first difference] A second difference of D/beta from step to step above this makes steps unlike
 * one another. Found: not recorded. Twice: not measured (none of these laws depends on it). */
#define CONDITION_CURVATURE 5.0
/* [largest D/beta] Differences below this are rounding. Found: not recorded. Twice: not measured (none of these
 * laws depends on it). */
#define CONDITION_SAME 1e-7

/* [1] A local error of r_t at a point x of component k counts so many times in the error of the component's mass: the
 * sampler's probability to end in the component from x is taken, not proved, to be at most this times the posterior
 * probability of k at x. Found: max r_1 is below this where a law is trusted. */
#define MASS_FACTOR 2.0

#endif
