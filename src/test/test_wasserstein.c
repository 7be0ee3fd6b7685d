/* W2 (theory (20)): closed forms of Gaussians against quantiles of the line and radial engines' laws, mixtures
 * against plain inversion of distribution functions and sorted chains, laws against their doubled resolution. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "law/integrals.h"
#include "law/wasserstein.h"
#include "sample/chains.h"

#include "test/laws.h"
#include "test/suite.h"

TEST_SUITE(wasserstein);

static const struct law_engine *engine_named(const char *name)
{
    size_t i = 0;
    while (law_engine_at(i) != NULL && strcmp(law_engine_at(i)->name, name) != 0)
        i++;
    ck_assert_ptr_nonnull(law_engine_at(i));
    return law_engine_at(i);
}

static void mass_of(size_t n, const double *log_ratio, double *out)
{
    for (size_t j = 0; j < n; j++)
        out[j] = expm1(log_ratio[j]);
}

static struct law law_of(const char *engine, const struct factor *factor, const char *sampler, size_t T,
                         double resolution)
{
    OWNED_SCHEDULE *schedule;
    struct law law;
    struct error error = {STATUS_OK, ""};
    ck_assert(schedule_new(schedule_kind_find("li-cai"), 4.0, 17.0, T, &schedule, &error) == STATUS_OK);
    struct law_problem problem = {.factor = factor, .sampler = sampler_find(sampler), .schedule = schedule};
    ck_assert_msg(engine_named(engine)->compute(&problem, resolution, &law, &error) == STATUS_OK, "%s", error.text);
    ck_assert(law_integrate(&law, 1, mass_of, &law.mass_defect, NULL, &error) == STATUS_OK);
    return law;
}

static struct measured w2_of(const struct law *law, double multiplicity)
{
    struct law measured = *law;
    struct error error = {STATUS_OK, ""};
    ck_assert(w2_squared(law, &measured.w2_squared, &error) == STATUS_OK);
    return w2_of_sum(&(struct law_group){&measured, multiplicity}, 1, 0.0);
}

static const char *const samplers[] = {"ddpm", "accelerated", "ddim", "pf-ode-2"};
static const size_t steps[] = {512, 1024};

TEST(gaussian_by_line, .count = COUNT(samplers))
{
    const double weight = 1.0, mean = 0.7, sd = 0.4;
    const struct factor factor = {1, 1, &weight, &mean, &sd, NULL, NULL, NULL};
    for (size_t t = 0; t < COUNT(steps); t++) {
        OWNED(law) exact = law_of("gaussian", &factor, samplers[_i], steps[t], 1.0);
        OWNED(law) line = law_of("line", &factor, samplers[_i], steps[t], 1.0);
        assert_sharp(w2_of(&exact, 1.0), w2_of(&line, 1.0), 1e-4, "W2", samplers[_i]);
        assert_sharp(w2_of(&exact, 9.0), w2_of(&line, 9.0), 1e-4, "W2", samplers[_i]);
        ck_assert_double_eq_tol(w2_of(&exact, 9.0).value, 3.0 * w2_of(&exact, 1.0).value, 1e-14);
    }
}

TEST(gaussian_by_radius, .count = COUNT(samplers))
{
    const double weight = 1.0, mean = 0.0, sd = 0.4;
    static const size_t dimensions[] = {2, 3, 20};
    const struct factor one = {1, 1, &weight, &mean, &sd, NULL, NULL, NULL};
    for (size_t i = 0; i < COUNT(dimensions); i++) {
        const struct factor many = {dimensions[i], 1, &weight, NULL, &sd, NULL, NULL, NULL};
        OWNED(law) exact = law_of("gaussian", &one, samplers[_i], 512, 1.0);
        OWNED(law) radial = law_of("radial", &many, samplers[_i], 512, 1.0);
        assert_sharp(w2_of(&exact, (double)dimensions[i]), w2_of(&radial, 1.0), 3e-3, "W2", samplers[_i]);
    }
}

static const struct {
    double weight[3], mean[3], sd[3];
} mixtures[] = {
    {{0.3, 0.3, 0.4}, {-1.0, 0.2, 1.0}, {0.3, 0.2, 0.5}},
    {{0.3, 0.2, 0.5}, {-1.0, -0.5, 1.0}, {0.15, 0.2, 0.15}}, /* a valley of 5 standard deviations */
    {{0.1, 0.2, 0.7}, {-3.0, 0.0, 3.0}, {0.1, 0.2, 0.1}},    /* gaps that no mass crosses but by itself */
};

/* F_p(x). */
static double distribution(const struct mixture_level *level, double x)
{
    double sum = 0.0;
    for (size_t k = 0; k < level->factor->components; k++) {
        double z = (x - level->root_alpha_bar * level->factor->mean[k]) / level->sd[k];
        sum += level->factor->weight[k] * 0.5 * erfc(-z * M_SQRT1_2);
    }
    return sum;
}

/* W2^2 as the sum over a grid of quantiles: x from the law's panels by plain summation, y by bisection of F_p. */
static double brute(const struct law *law)
{
    const struct panels *panels = &law->log_ratio;
    enum { PARTS = 200 };
    double below = 0.0, total = 0.0;
    for (size_t p = 0; p < panels->count; p++) {
        const struct panel *panel = &panels->panel[p];
        double shift = law->target.root_alpha_bar * law->target.factor->mean[panel->anchor];
        for (int i = 0; i < PARTS; i++) {
            double x = panel->centre + panel->half_width * ((2.0 * i + 1.0) / PARTS - 1.0), log_density, log_ratio;
            law_log_density(law, panel, 1, &x, &log_density);
            panel_evaluate(panel, 0.0, 1, &x, &log_ratio);
            double mass = 2.0 * panel->half_width / PARTS * exp(log_density + log_ratio), middle = below + 0.5 * mass;
            double low = x + shift - 7.0, high = x + shift + 7.0;
            for (int k = 0; k < 46; k++) {
                double y = 0.5 * (low + high);
                *(distribution(&law->target, y) < middle ? &low : &high) = y;
            }
            below += mass;
            total += mass * (x + shift - low) * (x + shift - low);
        }
    }
    return total;
}

TEST(mixtures_by_inversion, .count = COUNT(mixtures))
{
    const struct factor factor = {1, 3, mixtures[_i].weight, mixtures[_i].mean, mixtures[_i].sd, NULL, NULL, NULL};
    for (size_t s = 0; s < 3; s++) { /* pf-ode-2 folds on the last */
        OWNED(law) law = law_of("line", &factor, samplers[s], 512, 1.0);
        OWNED(law) finer = law_of("line", &factor, samplers[s], 512, 1.5);
        struct measured w2 = w2_of(&law, 1.0);
        if (w2.value > 0.01) /* the plain sum is good to 1e-4 */
            ck_assert_double_eq_tol(w2.value, sqrt(brute(&law)), 1e-4 + 1e-3 * w2.value);
        assert_sharp(w2, w2_of(&finer, 1.0), 1e-2, "W2", samplers[s]);
    }
}

static int ascending(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Sorted chains against quantiles of p give W2 of the chains' empirical law, which differs from that of Y_1 by at
 * most W2 between these two; two halves of the chains are at least as far apart, up to chance. */
TEST(mixture_by_sorted_chains, .count = 2)
{
    enum { CHAINS = 1 << 16, HALF = CHAINS / 2 };
    const struct factor factor = {1, 3, mixtures[0].weight, mixtures[0].mean, mixtures[0].sd, NULL, NULL, NULL};
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 4.0, 17.0, 128U << _i);
    OWNED(factor_list) list = list_of(&factor, 1.0);
    OWNED(law) law = law_of("line", &factor, samplers[2 * _i], 128U << _i, 1.0);
    const struct chain_problem problem = {.list = &list,
                                          .dimension = 1,
                                          .sampler = sampler_find(samplers[2 * _i]),
                                          .schedule = schedule,
                                          .seed = 1,
                                          .stream = 1,
                                          .threads = 2};
    OWNED(points) y;
    ASSERT_OK(chains_run, &problem, CHAINS, &y);
    FREED double *half = malloc(CHAINS * sizeof *half);
    ck_assert_ptr_nonnull(half);
    memcpy(half, y.x, CHAINS * sizeof *half);
    qsort(half, HALF, sizeof *half, ascending);
    qsort(half + HALF, HALF, sizeof *half, ascending);
    qsort(y.x, CHAINS, sizeof *y.x, ascending);
    double apart = 0.0, total = 0.0;
    for (size_t i = 0; i < HALF; i++)
        apart += (half[i] - half[HALF + i]) * (half[i] - half[HALF + i]) / HALF;
    for (size_t i = 0; i < CHAINS; i++) {
        double low = -9.0, high = 9.0;
        for (int k = 0; k < 40; k++) {
            double x = 0.5 * (low + high);
            *(distribution(&law.target, x) < ((double)i + 0.5) / CHAINS ? &low : &high) = x;
        }
        total += (y.x[i] - low) * (y.x[i] - low) / CHAINS;
    }
    const struct measured exact = w2_of(&law, 1.0);
    const double error = sqrt(apart) + exact.error;
    ck_assert_msg(fabs(sqrt(total) - exact.value) <= error && error < 0.2 * exact.value,
                  "%g by chains, %g, halves %g apart", sqrt(total), exact.value, error);
}
