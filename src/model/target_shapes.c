/* Named shapes of the plane. Samplers see mixtures of equal isotropic Gaussians, with exact scores; what these stand
 * for, the same with infinitely many, is a part of `list`, and how far off they are is measured. */
#include <math.h>

#include "core/legendre.h"
#include "model/shape.h"

extern const struct target_family target_rings, target_checkerboard, target_two_moons, target_pinwheel;

/* FINER times as many nodes stand for infinitely many. Below a distance of 0.4 that changes it by a thousandth at
 * most; beyond, where these do not overlap either, by up to 15 % (measured on a circle, a half circle and a square).
 */
enum { MOST_POINTS = 256, MOST_ON_SIDE = 16, FINER = 4 };

/* The parameters that all have, first in the struct of each. */
struct common {
    double sd;
    size_t points;
};

/* Of one family; the parameters are its struct. */
struct rule {
    const struct target_family *family;
    size_t (*count)(const void *params, size_t points); /* of components */
    void (*fill)(const void *params, size_t points, struct shape *out);
    double truncated; /* the mass that the rule leaves out, however many its nodes */
};

static void put(struct shape *out, size_t *k, double weight, double x, double y)
{
    out->weight[*k] = weight;
    out->mean[2 * *k] = x;
    out->mean[2 * *k + 1] = y;
    ++*k;
}

/* ---- Circles around the origin, of radii in equal steps ---- */

struct rings {
    struct common common;
    size_t rings;
    double radius;
};

/* As many on each as on the outermost in proportion to the radius, at least three; and multiples of these. */
static size_t on_ring(const struct rings *rings, size_t points, size_t ring)
{
    size_t count = (rings->common.points * ring + rings->rings - 1) / rings->rings;
    return (count > 3 ? count : 3) * (points / rings->common.points);
}

static size_t count_rings(const void *params, size_t points)
{
    const struct rings *rings = params;
    size_t count = 0;
    for (size_t ring = 1; ring <= rings->rings; ring++)
        count += on_ring(rings, points, ring);
    return count;
}

/* Of multiples no angle is one of the fewer, which would hide how far apart these are. */
static void fill_rings(const void *params, size_t points, struct shape *out)
{
    const struct rings *rings = params;
    double first = points > rings->common.points ? 0.5 : 0.0;
    size_t k = 0;
    for (size_t ring = 1; ring <= rings->rings; ring++) {
        size_t count = on_ring(rings, points, ring);
        double radius = rings->radius * (double)ring / (double)rings->rings;
        for (size_t i = 0; i < count; i++) {
            double angle = 2.0 * M_PI * ((double)i + first) / (double)count;
            put(out, &k, 1.0 / (double)(count * rings->rings), radius * cos(angle), radius * sin(angle));
        }
    }
}

/* ---- Every other square of a board ---- */

struct checkerboard {
    struct common common;
    size_t squares;
    double side;
};

static size_t count_checkerboard(const void *params, size_t points)
{
    const struct checkerboard *board = params;
    return (board->squares * board->squares + 1) / 2 * points * points;
}

static void fill_checkerboard(const void *params, size_t points, struct shape *out)
{
    const struct checkerboard *board = params;
    size_t n = board->squares, k = 0;
    double node[FINER * MOST_ON_SIDE], weight[FINER * MOST_ON_SIDE], middle = 0.5 * (double)(n - 1);
    legendre_rule(points, node, weight);
    for (size_t square = 0; square < n * n; square++) {
        size_t column = square / n, row = square % n;
        if ((column + row) % 2 != 0)
            continue;
        for (size_t i = 0; i < points * points; i++) {
            size_t a = i / points, b = i % points;
            put(out, &k, 0.25 * weight[a] * weight[b] / (double)((n * n + 1) / 2),
                board->side * ((double)column - middle + 0.5 * node[a]),
                board->side * ((double)row - middle + 0.5 * node[b]));
        }
    }
}

/* ---- Two half circles ---- */

static size_t count_two_moons(const void *params, size_t points)
{
    (void)params;
    return 2 * points;
}

/* (cos t, sin t) and (1 - cos t, 1/2 - sin t), 0 <= t <= pi. */
static void fill_two_moons(const void *params, size_t points, struct shape *out)
{
    double node[FINER * MOST_POINTS], weight[FINER * MOST_POINTS];
    size_t k = 0;
    (void)params;
    legendre_rule(points, node, weight);
    for (size_t i = 0; i < points; i++) {
        double angle = 0.5 * M_PI * (1.0 + node[i]);
        put(out, &k, 0.25 * weight[i], cos(angle), sin(angle));
        put(out, &k, 0.25 * weight[i], 1.0 - cos(angle), 0.5 - sin(angle));
    }
}

/* ---- Curved arms ---- */

struct pinwheel {
    struct common common;
    size_t arms;
    double radial_sd, rate;
};

#define ARM_REACH 4.5 /* standard deviations of the distance from the centre, to either side */

static size_t count_pinwheel(const void *params, size_t points)
{
    return ((const struct pinwheel *)params)->arms * points;
}

/* The trapezoid rule in u = 1 + sqrt(radial_sd^2 - sd^2) z along each arm, which is at the angle rate e^u. */
static void fill_pinwheel(const void *params, size_t points, struct shape *out)
{
    const struct pinwheel *wheel = params;
    double along = sqrt((wheel->radial_sd - wheel->common.sd) * (wheel->radial_sd + wheel->common.sd)), total = 0.0;
    size_t k = 0;
    for (size_t i = 0; i < points; i++) {
        double z = ARM_REACH * ((2.0 * (double)i + 1.0) / (double)points - 1.0), u = 1.0 + along * z;
        for (size_t arm = 0; arm < wheel->arms; arm++) {
            double angle = wheel->rate * exp(u) + 2.0 * M_PI * (double)arm / (double)wheel->arms;
            put(out, &k, exp(-0.5 * z * z), u * cos(angle), u * sin(angle));
            total += out->weight[k - 1];
        }
    }
    for (k = 0; k < out->count; k++)
        out->weight[k] /= total;
}

static enum status pinwheel_exists(const struct target *target, size_t dimension, struct error *error);

/* ---- All of them ---- */

static const struct rule rules[] = {
    {&target_rings, count_rings, fill_rings, 0.0},
    {&target_checkerboard, count_checkerboard, fill_checkerboard, 0.0},
    {&target_two_moons, count_two_moons, fill_two_moons, 0.0},
    {&target_pinwheel, count_pinwheel, fill_pinwheel, 6.8e-6 /* P(|Z| > ARM_REACH) */},
};

static const struct rule *rule_of(const struct target *target)
{
    const struct rule *rule = rules;
    while (rule->family != target->family)
        rule++;
    return rule;
}

static size_t points_of(const struct target *target)
{
    return ((const struct common *)target_params(target))->points;
}

static enum status make(const struct target *target, size_t points, struct shape *out, struct error *error)
{
    const struct common *common = target_params(target);
    const struct rule *rule = rule_of(target);
    TRY(shape_new(rule->count(common, points), common->sd, out, error));
    rule->fill(common, points, out);
    return STATUS_OK;
}

static enum status pinwheel_exists(const struct target *target, size_t dimension, struct error *error)
{
    const struct pinwheel *wheel = target_params(target);
    if (wheel->common.sd < wheel->radial_sd)
        return shape_exists(target, dimension, error);
    return fail_with(error, STATUS_INVALID,
                     "target %s: the standard deviation across an arm, %g, must be below that along it, %g",
                     target->name, wheel->common.sd, wheel->radial_sd);
}

static enum status factors(const struct target *target, size_t dimension, struct factor_list *list,
                           struct error *error)
{
    struct shape shape = {0};
    enum status status;
    TRY_OR(done, make(target, points_of(target), &shape, error));
    TRY_OR(done, shape_append(&shape, dimension, list, error));
done:
    shape_free(&shape);
    return status;
}

static double approximation(const struct target *target)
{
    struct shape few = {0}, many = {0};
    struct error ignored;
    double distance = 1.0;
    if (make(target, points_of(target), &few, &ignored) == STATUS_OK
        && make(target, FINER * points_of(target), &many, &ignored) == STATUS_OK)
        distance = fmin(shape_distance(&few, &many) + rule_of(target)->truncated, 1.0);
    shape_free(&few);
    shape_free(&many);
    return distance;
}

static struct target_content content(const struct target *target, double dimension)
{
    double k = (double)rule_of(target)->count(target_params(target), points_of(target));
    (void)dimension;
    return (struct target_content){1.0, k, 2.0 * k, 2.0 * k, 2.0 * k};
}

#define SD(standard_value, text) \
    { \
        "sd", PARAM_REAL, offsetof(struct common, sd), text, .standard = standard_value, .range = GREATER_THAN(0.0) \
    }
#define POINTS(standard_value, most, text) \
    { \
        "points", PARAM_INTEGER, offsetof(struct common, points), text, .standard = standard_value, \
                                                                        .range = FROM_TO(2.0, most) \
    }
#define FAMILY(type, table) \
    .params = table, .params_size = sizeof(type), .factors = factors, .approximation = approximation, \
    .content = content

static const struct param rings_params[] = {
    {"rings", PARAM_INTEGER, offsetof(struct rings, rings), "how many", .standard = 2.0, .range = FROM_TO(1.0, 64.0)},
    {"radius", PARAM_REAL, offsetof(struct rings, radius), "of the outermost; the others' are in equal steps",
     .standard = 1.0, .range = GREATER_THAN(0.0)},
    SD(0.1, "the standard deviation around them"),
    POINTS(40.0, MOST_POINTS, "Gaussians on the outermost, and on the others in proportion to their radii"),
    {0},
};
const struct target_family target_rings = {
    .name = "rings",
    .doc = "Concentric circles in the plane with noise, of equal probabilities, copied over pairs of coordinates: "
           "each a "
           "mixture of Gaussians at equal angles, whose distance from uniform angles is in the report.",
    .formula = "prod_i sum_j,k N((x_{2i-1}, x_{2i}); r_j (cos a_jk, sin a_jk), sd^2 I_2)/(rings n_j), "
               "r_j = radius j/rings, a_jk = 2 pi k/n_j, n_j = points j/rings rounded up, at least 3",
    .source = "1810.01367 (FFJORD), where rings: 4, radius: 3, sd: 0.08",
    .exists = shape_exists,
    FAMILY(struct rings, rings_params),
};

static const struct param checkerboard_params[] = {
    {"squares", PARAM_INTEGER, offsetof(struct checkerboard, squares), "along a side of the board", .standard = 4.0,
     .range = FROM_TO(1.0, 16.0)},
    {"side", PARAM_REAL, offsetof(struct checkerboard, side), "of a square", .standard = 1.0,
     .range = GREATER_THAN(0.0)},
    SD(0.15, "the standard deviation that blurs the squares' edges"),
    POINTS(6.0, MOST_ON_SIDE, "Gaussians along a side of a square"),
    {0},
};
const struct target_family target_checkerboard = {
    .name = "checkerboard",
    .doc =
        "Every other square of a board around the origin, blurred by noise, copied over pairs of coordinates: a "
        "mixture "
        "of Gaussians at the nodes of a Gauss-Legendre rule in each square, whose distance from uniform squares with "
        "the same noise is in the report.",
    .formula =
        "prod_i sum_k w_k N((x_{2i-1}, x_{2i}); m_k, sd^2 I_2), m_k, w_k: points x points nodes in each square",
    .source = "1810.01367 (FFJORD), where side: 2 and there is no noise",
    .exists = shape_exists,
    FAMILY(struct checkerboard, checkerboard_params),
};

static const struct param two_moons_params[] = {
    SD(0.1, "the standard deviation around them"),
    POINTS(32.0, MOST_POINTS, "Gaussians on each"),
    {0},
};
const struct target_family target_two_moons = {
    .name = "two-moons",
    .doc =
        "Two half circles of radius 1 that reach into one another, with noise, copied over pairs of coordinates: a "
        "mixture of Gaussians at the nodes of a Gauss-Legendre rule, whose distance from uniform angles is in the "
        "report.",
    .formula =
        "prod_i sum_k w_k [N(.; (cos t_k, sin t_k), sd^2 I_2) + N(.; (1 - cos t_k, 1/2 - sin t_k), sd^2 I_2)]/2",
    .source = "make_moons of scikit-learn, whose `noise` is sd",
    .exists = shape_exists,
    FAMILY(struct common, two_moons_params),
};

static const struct param pinwheel_params[] = {
    {"arms", PARAM_INTEGER, offsetof(struct pinwheel, arms), "how many", .standard = 5.0,
     .range = FROM_TO(1.0, 64.0)},
    {"radial_sd", PARAM_REAL, offsetof(struct pinwheel, radial_sd),
     "the standard deviation of the distance u from the centre, whose mean is 1", .standard = 0.3,
     .range = GREATER_THAN(0.0)},
    {"rate", PARAM_REAL, offsetof(struct pinwheel, rate), "an arm is at the angle rate e^u", .standard = 0.25},
    SD(0.1, "the standard deviation around an arm, below radial_sd"),
    POINTS(24.0, MOST_POINTS, "Gaussians on each arm"),
    {0},
};
const struct target_family target_pinwheel = {
    .name = "pinwheel",
    .doc =
        "Curved arms around the origin, copied over pairs of coordinates: a mixture of Gaussians along each, by the "
        "trapezoid rule. The pinwheel of the source has noise across its arms alone; this has it in every direction "
        "and less spread along them, and the distance in the report is that from infinitely many such Gaussians.",
    .formula = "prod_i sum_l,k w_k N((x_{2i-1}, x_{2i}); u_k (cos a, sin a), sd^2 I_2)/arms, a = rate e^(u_k) + 2 pi "
               "l/arms, u_k ~ N(1, radial_sd^2 - sd^2)",
    .source = "after 1603.06277 (radial_sd 0.3, sd 0.05 to 0.1, rate 0.25)",
    .exists = pinwheel_exists,
    FAMILY(struct pinwheel, pinwheel_params),
};
