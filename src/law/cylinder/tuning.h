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

/* [dimensions] From which on. Found: measured: in fewer the cylinder engine is as fast, and in 2 dimensions sides
 * near the axis change m_1, -0.28, by 2e-3. */
#define CONDENSATION_LEAST_DIMENSION 8
/* Each: reach, depth, length and ends of panels; tolerance of integrals, least order, order of the last transition;
 * tail of polynomials; what steps at the end that are left out may change. Found: measured, at d = 64: of ddpm at h d
 * = 2 they find m_1, -0.2058236, to 5e-7, 2e-7, 1e-8 and less, of runge-kutta-3 at h d = 1/3, -5.3746e-6, to 8e-7,
 * 7e-8, 4e-10 and less. What one shares with the next, no difference shows. */
#define CONDENSATION_EFFORTS \
    { \
        {{18.0, 16.0, 8.0, 2.0}, {1e-6, 2, 12}, 1e-5, 1e-7}, {{22.0, 18.0, 7.0, 2.0}, {1e-7, 3, 13}, 1e-6, 1e-8}, \
            {{24.0, 20.0, 5.5, 2.0}, {1e-8, 4, 13}, 1e-7, 1e-9}, \
        { \
            {26.0, 22.0, 4.5, 2.0}, {1e-9, 5, 14}, 1e-8, 1e-10 \
        } \
    }
/* [m_1] More is spent while the radius is larger, as far as there is more. Found: convention. */
#define CONDENSATION_WANTED 1e-3
/* [E_own|r - r'|] The radius is so many times what the two computations are apart, and at least the second. Found:
 * measured: of 13 laws of six samplers, d = 16 to 1024, h d = 1/3 to 6, against the finest effort, all errors are
 * below three times that distance, and one is above twice it. */
#define CONDENSATION_SAFETY 3.0
#define CONDENSATION_RESOLVED 1e-9
/* [1] Tolerances of a step, of the square of its noise's standard deviation in l; at least. Found: bound: a path is
 * near the front for the inverse of that many steps, whose errors add up. */
#define CONDENSATION_LEAST_SHARE 0.03
/* [1] No integral has a larger tolerance. Found: not recorded. */
#define CONDENSATION_LOOSEST 1e-5
/* [tolerance of a tail] Panels of a smaller tail have a node less the next time, and of a larger one than the second
 * are filled again. Found: as PATCH_REFILL_ABOVE. */
#define CONDENSATION_FEWER_BELOW 0.1
#define CONDENSATION_REFILL_ABOVE 4.0
/* [nodes] In a direction, at least, and of the first panels. Found: not recorded. */
#define CONDENSATION_LEAST_NODES 4
#define CONDENSATION_FIRST_NODES 10
/* [noise over the codeword's variance] Below which it is looked whether all that is left changes nothing. Found: not
 * recorded. */
#define CONDENSATION_LATE 0.1
/* [1/spread] By which poles in l are nearer. Found: measured: of runge-kutta-4 at h d = 1.6 polynomials of 24 nodes
 * had tails of 2e-4 where panels were as long as for poles at pi, and have 3e-7 now. */
#define CONDENSATION_NEARER 0.6
/* [panels] Beyond a panel log r is linear, with the slope between its side and a point so far within, up to the
 * second distance. Found: measured: kept as at the side, where the codeword has a mass of e^-24, it changed m_1 of
 * runge-kutta-4 at h d = 1.6 by 1e-5: polynomials carry the error into the panel. */
#define CONDENSATION_SECANT 0.25
#define CONDENSATION_MOST_BEYOND 0.5
/* [log-likelihood ratio] Standard deviation of a step's noise. Found: bound: rules are centred between the codeword's
 * chain and the bulk's, which are its square apart, and trapezoid rules reach 10 deviations. */
#define CONDENSATION_MOST_SPREAD 6.0
/* [scales of the quadrature] Distance from the axis from which turned rules are used. Found: bound: weight e^-18 at
 * the axis. */
#define CONDENSATION_CLEAR 6.0
/* [V] rho^2 is taken to be at least so much, as D/rho is not finite on the axis. Found: bound: log r is a function of
 * rho^2, and changes by no more than rounding. */
#define CONDENSATION_LEAST_SQUARE 1e-12
/* [places] Between l = 0 and the codeword's typical l. Found: bound: the density's logarithm is nearly parabolic. */
#define CONDENSATION_OVER_PLACES 16
/* [reach along the axis] Of the final quadrature in rho/sd, around sqrt(n). Found: bound: for n >= 7 the density of
 * chi there, over its largest, is below that of N(0, 1) at the reach along the axis. */
#define CONDENSATION_CHI_REACH 0.85
/* [degrees] From which on it does. */
#define CONDENSATION_CHI_FROM 7.0
/* [mass] Of a node of the final quadrature, that it counts. Found: bound: some 10^5 nodes together are below 1e-13.
 */
#define CONDENSATION_LEAST_WEIGHT 1e-18

#endif
