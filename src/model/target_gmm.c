/* Two benchmarks of the field that are mixtures of equal isotropic Gaussians in the plane. */
#include <math.h>

#include "model/shape.h"

/* ---- A grid of 5 x 5: a product of two mixtures on the line, and given as such ---- */

enum { SIDE = 5 };

struct gmm_25 {
    double spacing, sd;
};

static enum status gmm_25_factors(const struct target *target, size_t dimension, struct factor_list *list,
                                  struct error *error)
{
    const struct gmm_25 *grid = target_params(target);
    double weight[SIDE], mean[SIDE], sd[SIDE];
    for (size_t k = 0; k < SIDE; k++) {
        weight[k] = 1.0 / SIDE;
        mean[k] = grid->spacing * ((double)k - SIDE / 2);
        sd[k] = grid->sd;
    }
    const struct factor factor = {.dimension = 1, .components = SIDE, .weight = weight, .mean = mean, .sd = sd};
    return factor_list_append(list, &factor, (double)dimension, error);
}

static struct target_content gmm_25_content(const struct target *target, double dimension)
{
    (void)target;
    (void)dimension;
    return (struct target_content){1.0, SIDE, SIDE, 2.0 * SIDE, 2.0 * SIDE};
}

static const struct param gmm_25_params[] = {
    {"spacing", PARAM_REAL, offsetof(struct gmm_25, spacing), "of the grid around the origin", .standard = 2.0,
     .range = GREATER_THAN(0.0)},
    {"sd", PARAM_REAL, offsetof(struct gmm_25, sd), "every component's standard deviation", .standard = 0.05,
     .range = AT_LEAST(0.0)},
    {0},
};

const struct target_family target_gmm_25 = {
    .name = "gmm-25",
    .doc = "25 Gaussians of equal weights on a square grid, copied over pairs of coordinates: a product of mixtures "
           "of 5 "
           "on the line, which is how its law is computed.",
    .formula = "prod_i sum_k N(x_i; spacing k, sd^2)/5, k = -2, ..., 2",
    .source = "1705.07761 (VEEGAN): spacing 2, sd 0.05",
    .params = gmm_25_params,
    .params_size = sizeof(struct gmm_25),
    .exists = shape_exists,
    .factors = gmm_25_factors,
    .content = gmm_25_content,
};

/* ---- 40 random means ---- */

enum { COMPONENTS = 40 };

/* What torch.manual_seed(0); torch.rand((40, 2)) gives, times 2^24: the lowest 24 bits of each output of MT19937. */
static const double uniform[2 * COMPONENTS] = {
    8325804,  12888623, 1484405,  2215104,  5157699,  10638075, 8222403,  15039847, 7644169,  10608339,
    5853461,  6739698,  374564,   2832983,  4930630,  8699352,  11704920, 13421964, 2701626,  4735681,
    11435494, 15354407, 6662231,  14665902, 7036504,  9276241,  15984293, 606745,   3107661,  6264904,
    5118729,  15636372, 2951283,  4527056,  2527987,  532165,   3491838,  15599439, 12131759, 12454336,
    8829778,  4087907,  9807832,  556209,   2327283,  4064029,  13681299, 13307027, 4668302,  8085927,
    13753632, 16728001, 11717897, 9521849,  14013055, 3449376,  9951775,  1884874,  2574580,  4055191,
    12184227, 11762174, 3419595,  10922866, 12993719, 7329820,  8708898,  10332288, 13592704, 16443300,
    1924149,  5314437,  11685414, 15338984, 15688436, 15790353, 10058063, 1094020,  9160297,  3140650,
};

struct gmm_40 {
    double range, sd;
};

static enum status gmm_40_factors(const struct target *target, size_t dimension, struct factor_list *list,
                                  struct error *error)
{
    const struct gmm_40 *gmm = target_params(target);
    double weight[COMPONENTS], mean[2 * COMPONENTS];
    const struct shape shape = {COMPONENTS, weight, mean, gmm->sd};
    for (size_t k = 0; k < COMPONENTS; k++)
        weight[k] = 1.0 / COMPONENTS;
    for (size_t i = 0; i < 2 * COMPONENTS; i++)
        mean[i] = gmm->range * (2.0 * uniform[i] - 0x1p24) * 0x1p-24;
    return shape_append(&shape, dimension, list, error);
}

static struct target_content gmm_40_content(const struct target *target, double dimension)
{
    (void)target;
    (void)dimension;
    return (struct target_content){1.0, COMPONENTS, 2.0 * COMPONENTS, 2.0 * COMPONENTS, 2.0 * COMPONENTS};
}

static const struct param gmm_40_params[] = {
    {"range", PARAM_REAL, offsetof(struct gmm_40, range), "means are in [-range, range]^2", .standard = 40.0,
     .range = GREATER_THAN(0.0)},
    {"sd", PARAM_REAL, offsetof(struct gmm_40, sd), "every component's standard deviation",
     .standard = 1.3132616875182228, .range = AT_LEAST(0.0)},
    {0},
};

const struct target_family target_gmm_40 = {
    .name = "gmm-40",
    .doc = "40 Gaussians of equal weights at fixed random means in the plane, copied over pairs of coordinates; "
           "range: 1, "
           "sd: 0.0328 is the same on the scale of N(0, I), where the samplers start.",
    .formula = "prod_i sum_k N((x_{2i-1}, x_{2i}); m_k, sd^2 I_2)/40, m_k uniform in [-range, range]^2",
    .source =
        "2208.01893 (FAB): range 40, sd log(1 + e); means of torch.manual_seed(0), torch.rand((40, 2)), as there "
        "and in 2402.06121 (iDEM)",
    .params = gmm_40_params,
    .params_size = sizeof(struct gmm_40),
    .exists = shape_exists,
    .factors = gmm_40_factors,
    .content = gmm_40_content,
};
