/* Tuning constants of the plane engine: unit, what it is, how it was found ("bound": by the formula; "not
 * recorded": by trial), and what breaks at twice the value. See law/tuning.h for the words. */
#ifndef LAW_PLANE_TUNING_H
#define LAW_PLANE_TUNING_H

/* ---- Tolerances (law/plane/plane.c). ---- */

/* [log noise] Between two checks. Found: not recorded. Twice: time 0.89, radius up to 1.39. */
#define PLANE_CHECK_STRIDE 0.7
/* [E_p|r - 1|] That all patches may add in all steps together. Found: by trial: 40 components need no second
 * resolution. Twice: time 0.86, radius up to 1.9. */
#define PLANE_TOLERANCE 1e-5
/* [L1(p)] That they may add in a stage in any case. Found: rounding. Twice: no change. */
#define PLANE_LEAST_TOLERANCE 8e-16
/* [h^2] E_p|r - 1| is taken to be at least this: where it is smaller it will grow. Found: not recorded. Twice:
 * no change. */
#define PLANE_EXPECTED_DISTANCE 1e-3
/* [power of the resolution] By which tolerances fall. Found: not recorded. Twice: no change. */
#define PLANE_TOLERANCE_POWER 8.0

/* [node updates] From which on a law is dear (law_engine.dear). Found: some ten seconds of a core; laws of 40
 * components take more and have the wanted radius at once. Twice: not measured. */
#define PLANE_DEAR 50000000

/* ---- Quadrature orders (law/plane/plane.c). ---- */

/* [order] Of all patches at the start. Found: not recorded. Twice: no change. */
#define PLANE_FIRST_ORDER 5

/* ---- Patches (law/plane/plane.c, law/plane/domain.c). ---- */

/* [standard deviations] Of each component that patches cover. Found: bound: mass e^-36 beyond. Twice: time 6.01,
 * radius up to 4.92e+04. */
#define PLANE_REACH 8.5
/* [standard deviations] Of a component beyond which it has no mass in a patch. Found: bound: 1e-27. Twice: no change.
 */
#define PLANE_MASS_REACH 11.0
/* [local scales] Side of a patch at the start. Found: not recorded. Twice: radius up to 1.03. */
#define PLANE_FIRST_SIDE 2.5
/* [standard deviations] From a component up to which the local scale is its own. Found: not recorded. Twice:
 * time 0.91. */
#define PLANE_SCALE_FLAT 4.0
/* [1] By which the scale grows with each unit of distance beyond. Found: not recorded. Twice: no change. */
#define PLANE_SCALE_SLOPE 0.5
/* [standard deviations of the wider component] Gaps up to this width have a corridor of patches: few large steps
 * leave some of q there. Found: as PANEL_GAP. Twice: no change. */
#define PLANE_GAP 12.0
/* [standard deviations] Half-width of a corridor. Found: not recorded. Twice: radius down to 0.978. */
#define PLANE_CORRIDOR 5.0

/* ---- Symmetry (law/plane/symmetry.c). ---- */

/* [standard deviations of the narrower axis, weights] By which components may differ from images of one another. log
 * r has a gradient of the order of E_p|r - 1| over a standard deviation, so that this is its relative error. Found:
 * bound: means of six digits are symmetric to their rounding. Twice: no change. */
#define PLANE_SYMMETRIC 1e-12

/* ---- Lattices (law/plane/plane.c, law/plane/lattice.c); densities are points in a standard deviation of the
 * noise. ---- */

/* [density] Of a lattice at first. Found: not recorded. Twice: time 0.90, radius up to 1.03. */
#define PLANE_FIRST_DENSITY 1.6
/* [density] At least. Found: not recorded. Twice: time 0.94. */
#define PLANE_SPARSEST 1.2
/* [density] At most. Found: time. Twice: of four atoms, T = 256, time 6; of 3 x 3 atoms, accelerated, T = 64, node
 * updates 4 and radius 0.15 (from 16 to 2.4 % of TV). */
#define PLANE_DENSEST 12.0
/* [error wanted] That a lattice made again is to have, lest it be made a third time. Found: by trial on 30 atoms.
 * Twice: of 3 x 3 atoms node updates 0.57 to 1.00, radius up to 1.03. */
#define PLANE_LATTICE_AIM 0.5
/* [1] The next lattice is denser by no less than this factor. Found: not recorded. Twice: radius down to 0.957. */
#define PLANE_LEAST_DENSER 1.08
/* [1] And by no more. Found: not recorded. Twice: no change. */
#define PLANE_MOST_DENSER 1.5
/* [tolerance] That a lattice may use. Found: by trial, with less it costs more than it saves elsewhere. */
#define PLANE_LATTICE_SHARE 0.5
/* [points] Stages that need more go by quadrature around each node. Found: memory. Twice: no change. */
#define PLANE_LARGEST_LATTICE 2e7
/* [variances of the noise] Stages with lattices over a larger area do, too. Found: bound: the spacing of grids is at
 * least 0.236 of the noise's deviation, with tolerances near rounding, and grids have at most 5.12e7 points
 * (law/plane/grid.c), which cover 2.8e6; the rest is for what lies within the noise's reach around the patches. */
#define PLANE_LARGEST_AREA 2e6
/* [cost of a quadrature node] Of a lattice point. Found: measured on one machine: 40 components take the same
 * time at 5 and at 7. Twice: not measured. */
#define PLANE_POINT_COST 6.0
/* [cost of a quadrature node] Of the sums over the lattice's grid at a node of a patch. Found: measured on one
 * machine. Twice: not measured. */
#define PLANE_SUM_COST 3.0
/* [1] A patch goes over to the lattice where that costs less by this factor. Found: by trial, to and fro are rare. */
#define PLANE_LATTICE_CHEAPER 0.7
/* [variance of the noise] That the first of the two kernels has. Found: narrow windows, while the grid's spacing is
 * not much less than its deviation. */
#define PLANE_SPREAD (1.0 / 6.0)
/* [tolerance] That the grid and its windows may use, relative to q. Found: bound. */
#define PLANE_GRID_SHARE 0.003
/* [1] The grid that checks is finer, and its windows wider, by this factor. */
#define PLANE_GRID_FINER 1.1
/* [standard deviations of the noise] Beyond which a lattice point is left out. Found: bound: 1e-14 beyond.
 * Twice: time 2.14. */
#define PLANE_LATTICE_REACH 7.8
/* [local scales] Sides of the squares beyond the grid, where r is taken to be 1. Found: not recorded. Twice: no
 * change. */
#define PLANE_BEYOND_SIDE 3.0
/* [standard deviations] Of noise, at most, that a lattice goes beyond the grid for. Found: not recorded. Twice:
 * no change. */
#define PLANE_BEYOND_NOISE 1.0
/* [standard deviations of the noise] That it goes beyond. Found: bound: at the last patches, whose mass is e^-36,
 * what lies farther out is 1e-6 of q. */
#define PLANE_BEYOND_REACH 5.0

/* ---- Rows of the finished law (law/plane/rows.c). ---- */

/* [standard deviations] Width of the density of rows around a component: more and the tails' rows are wanting,
 * less and the flatness of the integrand at both ends. Found: measured. Twice: radius up to 2.44. */
#define PLANE_ROW_STRETCH 3.0
/* [standard deviations of the narrower] Components whose centres are closer may share a density of rows. Found:
 * not recorded. Twice: no change. */
#define PLANE_ROW_NEAR 1.0
/* [ratio of widths] Below which they do. Found: not recorded. Twice: no change. */
#define PLANE_ROW_ALIKE 1.4
/* [rows] For each density. Found: not recorded. Twice: radius down to 0.571. */
#define PLANE_ROWS_PER_SCALE 500.0
/* [rows] For all of them. Found: time. Twice: no change. */
#define PLANE_MOST_ROWS 6000.0
/* [resolution of the line engine] Of the panels on a row. Found: by trial: at 0.35 nothing changes where components
 * are alike, and the radius grows twentyfold beside one of a fiftieth of the width. Twice: not measured. */
#define PLANE_ROW_RESOLUTION 0.7
/* [standard deviations] Of a component that rows cover. Found: bound: mass e^-36 beyond. Twice: no change. */
#define PLANE_ROW_REACH 8.5
/* [standard deviations] Components farther from a row are left out of it. Found: bound: mass 1e-19. Twice: no
 * change. */
#define PLANE_ROW_FAR 9.0
/* [log mass of p] Rows with less are left out. Found: bound: 1e-20. Twice: no change. */
#define PLANE_ROW_LOG_MASS (-46.0)

#endif
