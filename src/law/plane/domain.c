#include "law/plane/domain.h"

#include <math.h>

#include "core/legendre.h"
#include "law/normal.h"
#include "law/plane/tuning.h"

/* No square of these overflows. */
static double norm_of(double x, double y)
{
    return sqrt(x * x + y * y);
}

/* The patch's centre relative to the mean of component k, at the present level. */
static void centre_from(const struct patch *patch, const struct joint_level *joint, size_t k, double at[2])
{
    for (int i = 0; i < 2; i++)
        at[i] = joint->root_alpha_bar * (patch->centre[i] - patches_offset(joint->factor, k, patch->anchor, i));
}

/* The standard deviation of <u, X> for a unit vector u. */
static double sd_along(const struct joint_ellipse *ellipse, const double u[2])
{
    return norm_of(ellipse->narrow * (ellipse->axis[0] * u[0] + ellipse->axis[1] * u[1]),
                   ellipse->wide * (ellipse->axis[0] * u[1] - ellipse->axis[1] * u[0]));
}

/* The narrow width, which grows with the distance from the long axis, as far as the ellipse that is covered goes: the
 * component is as narrow there as in the middle. */
static double scale_of(const struct patch *patch, const struct joint_level *joint, size_t k)
{
    const struct joint_ellipse *ellipse = &joint->ellipse[k];
    double at[2], width = ellipse->narrow;
    centre_from(patch, joint, k, at);
    double across = ellipse->axis[0] * at[0] + ellipse->axis[1] * at[1],
           along = ellipse->axis[0] * at[1] - ellipse->axis[1] * at[0],
           beyond = fmax(fabs(along) - PLANE_REACH * (ellipse->wide - width), 0.0);
    /* of the patch's nearest point, about */
    double distance = norm_of(across, beyond) - joint->root_alpha_bar * patch->half;
    return (width + PLANE_SCALE_SLOPE * fmax(distance - PLANE_SCALE_FLAT * width, 0.0)) / joint->root_alpha_bar;
}

double patch_scale(const struct patch *patch, const struct joint_level *joint)
{
    double smallest = HUGE_VAL;
    for (size_t k = 0; k < joint->factor->components; k++)
        smallest = fmin(smallest, scale_of(patch, joint, k));
    return smallest;
}

void patch_place(struct patch *patch, const struct joint_level *joint, const struct patch_root *root)
{
    double side = ldexp(2.0 * root->half, -patch->depth), smallest = HUGE_VAL;
    size_t best = 0;
    patch->anchor = 0;
    patch->half = 0.5 * side;
    for (int i = 0; i < 2; i++)
        patch->centre[i] = side * ((double)patch->at[i] + 0.5) - root->half + root->centre[i];
    for (size_t k = 0; k < joint->factor->components; k++) {
        double scale = scale_of(patch, joint, k);
        if (scale < smallest)
            best = k;
        smallest = fmin(smallest, scale);
    }
    for (int i = 0; i < 2; i++)
        patch->centre[i] -= patches_offset(joint->factor, best, 0, i);
    patch->anchor = best;
}

/* From the nearest point of the patch to the segment between two means (or to one, j = k). */
static double distance_to_segment(const struct patch *patch, const struct factor *factor, size_t j, size_t k)
{
    double at[2], along[2], length = 0.0, dot = 0.0;
    for (int i = 0; i < 2; i++) {
        at[i] = patch->centre[i] - patches_offset(factor, j, patch->anchor, i);
        along[i] = patches_offset(factor, k, j, i);
        length += along[i] * along[i];
        dot += along[i] * at[i];
    }
    double part = length > 0.0 ? fmin(fmax(dot / length, 0.0), 1.0) : 0.0;
    double x = fmax(fabs(at[0] - part * along[0]) - patch->half, 0.0);
    double y = fmax(fabs(at[1] - part * along[1]) - patch->half, 0.0);
    return norm_of(x, y);
}

static double deviations(const struct joint_ellipse *ellipse, double x, double y)
{
    return norm_of((ellipse->axis[0] * x + ellipse->axis[1] * y) / ellipse->narrow,
                   (ellipse->axis[0] * y - ellipse->axis[1] * x) / ellipse->wide);
}

/* The distance of component k from the patch, in its standard deviations: it is least within the patch, or at one of
 * its sides, where it is a quadratic function of one coordinate. */
static double deviations_of_nearest(const struct patch *patch, const struct joint_level *joint, size_t k)
{
    const struct joint_ellipse *ellipse = &joint->ellipse[k];
    double at[2], half = joint->root_alpha_bar * patch->half, least = HUGE_VAL;
    centre_from(patch, joint, k, at);
    if (fabs(at[0]) <= half && fabs(at[1]) <= half)
        return 0.0;
    if (!(ellipse->narrow < ellipse->wide))
        return norm_of(fmax(fabs(at[0]) - half, 0.0), fmax(fabs(at[1]) - half, 0.0)) / ellipse->narrow;
    double ratio = ellipse->sd[1] / ellipse->sd[0], slope[2] = {ellipse->slope * ratio * ratio, ellipse->slope};
    for (int i = 0; i < 2; i++)
        for (int side = -1; side <= 1; side += 2) {
            double fixed = at[i] + side * half,
                   other = fmin(fmax(slope[i] * fixed, at[1 - i] - half), at[1 - i] + half);
            least = fmin(least, i == 0 ? deviations(ellipse, fixed, other) : deviations(ellipse, other, fixed));
        }
    return least;
}

/* true if the patch meets the corridor between two components, as wide as the narrower of them is across it, where
 * the gap between them is not wide. */
static bool meets_corridor(const struct patch *patch, const struct joint_level *joint, size_t j, size_t k,
                           double reach)
{
    double root = joint->root_alpha_bar,
           apart[2] = {joint_level_centre(joint, k, j, 0), joint_level_centre(joint, k, j, 1)};
    double length = norm_of(apart[0], apart[1]);
    const double along[2] = {length > 0.0 ? apart[0] / length : 1.0, length > 0.0 ? apart[1] / length : 0.0},
                 across[2] = {-along[1], along[0]};
    const struct joint_ellipse *of[2] = {&joint->ellipse[j], &joint->ellipse[k]};
    double a = sd_along(of[0], along), b = sd_along(of[1], along);
    return length <= reach * (a + b) + PLANE_GAP * fmax(a, b)
           && root * distance_to_segment(patch, joint->factor, j, k)
                  <= PLANE_CORRIDOR * fmin(sd_along(of[0], across), sd_along(of[1], across));
}

bool patch_is_covered(const struct patch *patch, const struct joint_level *joint, double reach)
{
    for (size_t k = 0; k < joint->factor->components; k++)
        if (deviations_of_nearest(patch, joint, k) <= reach)
            return true;
    for (size_t k = 0; k < joint->factor->components; k++)
        for (size_t j = 0; j < k; j++)
            if (meets_corridor(patch, joint, j, k, reach))
                return true;
    return false;
}

/* The mass of a component in the box of this centre, by a Gauss-Legendre rule over y of the normal distribution of x
 * given y; to some digits, for it weighs errors only. */
enum { MASS_NODES = 10 };
static double mass_of(const struct joint_ellipse *ellipse, const double at[2], double half,
                      const double node[MASS_NODES], const double weight[MASS_NODES])
{
    double sd = ellipse->sd[1], from = fmax(at[1] - half, -10.0 * sd), to = fmin(at[1] + half, 10.0 * sd),
           middle = 0.5 * (from + to), reach = 0.5 * (to - from), mass = 0.0;
    for (int i = 0; i < MASS_NODES && to > from; i++) {
        double y = middle + reach * node[i], shift = at[0] - ellipse->slope * y;
        mass += weight[i] * reach * exp(-0.5 * (y / sd) * (y / sd)) / (sqrt(2.0 * M_PI) * sd)
                * normal_between((shift - half) / ellipse->along, (shift + half) / ellipse->along);
    }
    return mass;
}

double patch_mass(const struct patch *patch, const struct joint_level *joint)
{
    double mass = 0.0, half = joint->root_alpha_bar * patch->half, node[MASS_NODES], weight[MASS_NODES];
    if (joint->spectra != NULL)
        legendre_rule(MASS_NODES, node, weight);
    for (size_t k = 0; k < joint->factor->components; k++) {
        const struct joint_ellipse *ellipse = &joint->ellipse[k];
        double at[2], product = joint->factor->weight[k];
        centre_from(patch, joint, k, at);
        if (fabs(at[0]) > half + PLANE_MASS_REACH * ellipse->sd[0]
            || fabs(at[1]) > half + PLANE_MASS_REACH * ellipse->sd[1])
            continue;
        if (ellipse->narrow < ellipse->wide)
            product *= mass_of(ellipse, at, half, node, weight);
        for (int i = 0; i < 2 && !(ellipse->narrow < ellipse->wide); i++)
            product *= normal_between((at[i] - half) / ellipse->narrow, (at[i] + half) / ellipse->narrow);
        mass += product;
    }
    return mass;
}

struct patch_root plane_root(const struct joint_level *joint, double reach, bool at_origin)
{
    const double *mean = joint->factor->mean;
    struct patch_root root = {0.0, {at_origin ? -mean[0] : 0.0, at_origin ? -mean[1] : 0.0}};
    double farthest = 0.0;
    for (size_t k = 0; k < joint->factor->components; k++)
        for (int i = 0; i < 2; i++)
            farthest = fmax(farthest, fabs(patches_offset(joint->factor, k, 0, i) - root.centre[i])
                                          + (reach + 1.0) * joint->ellipse[k].sd[i] / joint->root_alpha_bar);
    root.half = exp2(ceil(log2(farthest)));
    return root;
}

static void place(const void *joint, struct patch *patch, const struct patch_root *root)
{
    patch_place(patch, joint, root);
}

static double scale(const void *joint, const struct patch *patch)
{
    return patch_scale(patch, joint);
}

static bool covers(const void *joint, const struct patch *patch)
{
    return patch_is_covered(patch, joint, PLANE_REACH);
}

static double mass(const void *joint, const struct patch *patch)
{
    return patch_mass(patch, joint);
}

const struct patch_domain plane_domain = {.place = place, .scale = scale, .covers = covers, .mass = mass};

struct complement {
    const struct patches *patches;
    const struct joint_level *joint;
    double reach, side;
    struct patches *out;
};

/* Squares for what is left out of the cell at this place of the tree; cell 0, but for the root: no cell. */
static enum status complement_cell(const struct complement *complement, uint32_t cell, struct patch patch,
                                   struct error *error)
{
    const struct patches_cell *cells = complement->patches->cell;
    int none = cell == 0 && patch.depth > 0;
    if (!none && cells[cell].leaf != NO_LEAF)
        return STATUS_OK;
    patch_place(&patch, complement->joint, &complement->patches->root);
    if (none) {
        if (!patch_is_covered(&patch, complement->joint, complement->reach) || patch.depth > PATCH_MOST_DEPTH)
            return STATUS_OK;
        if (2.0 * patch.half <= complement->side * patch_scale(&patch, complement->joint))
            return patches_append(complement->out, &patch, error);
    }
    for (unsigned right = 0; right < 2; right++)
        for (unsigned upper = 0; upper < 2; upper++)
            TRY(complement_cell(complement, none ? 0 : cells[cell].child[right][upper],
                                patch_quarter(&patch, right, upper), error));
    return STATUS_OK;
}

enum status patches_complement(const struct patches *patches, const struct joint_level *joint, double reach,
                               double side, struct patches *out, struct error *error)
{
    const struct complement complement = {patches, joint, reach, side, out};
    out->count = 0;
    out->factor = patches->factor;
    out->root = patches->root;
    return complement_cell(&complement, 0, (struct patch){.nodes = {PATCH_LEAST, PATCH_LEAST}}, error);
}
