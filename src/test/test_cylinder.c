/* The cylinder engine: against the line and a Gaussian where deviations are equal, against the radius where means are
 * 0, against the plane in two dimensions and against itself at a higher resolution; and planted errors. */
#include <math.h>

#include "law/measure.h"

#include "law/integrals.h"
#include "test/laws.h"
#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(cylinder);

enum { MOST_DIMENSION = 1024, FEW = 16 };
static const double half[] = {0.5, 0.5}, uneven[] = {0.3, 0.7};
static double means[2 * MOST_DIMENSION];

static struct factor around_axis(size_t dimension, const double *weight, const double *mean, const double *sd)
{
    for (size_t i = 0; i < 2 * dimension; i++)
        means[i] = i % dimension == 0 ? mean[i / dimension] : 0.0;
    return (struct factor){dimension, 2, weight, means, sd, NULL, NULL, NULL};
}

/* The small run has FEW steps instead of T, of a coarser schedule, with as many digits in a third of the time. */
static size_t steps(size_t T)
{
    return taken(2) == 2 ? T : FEW;
}

static struct schedule *make_steps(size_t T)
{
    return T == FEW ? make_schedule("li-cai", 1.0, 4.0, T) : make_li_cai(T);
}

static struct law law_by(const char *engine, const struct factor *factor, const struct sampler *sampler, size_t T,
                         double resolution)
{
    OWNED_SCHEDULE *schedule = make_steps(T);
    const struct law_problem problem = {
        .factor = factor, .sampler = sampler, .schedule = schedule, .clip = sampler_clip(factor->dimension, T)};
    struct law law;
    ck_assert(engine_called(engine)->handles(&problem));
    ASSERT_OK(compute_by, engine_called(engine), &problem, resolution, &law);
    return law;
}

/* masses: NULL, or what the law makes of the two components. */
static struct divergence divergence_by(const char *engine, const struct factor *factor, const struct sampler *sampler,
                                       size_t T, double resolution, struct measured *masses)
{
    OWNED(law) law = law_by(engine, factor, sampler, T, resolution);
    if (masses != NULL)
        ASSERT_OK(law_mass_errors, &law, factor, masses);
    struct divergence out = divergences_of(&law, 1.0);
    ck_assert_msg(fabs(law.mass_defect) < 1e-4 * out.tv.value + 1e-9, "mass defect %g", law.mass_defect);
    return out;
}

/* What lies beyond the patches may leave chi2 open, and KL where p and q are nearly disjoint. */
static void all_agree(const struct divergence *a, const struct divergence *b)
{
    const bool disjoint = b->tv.value > 0.9;
    assert_sharp(a->tv, b->tv, 1e-4, "TV", "cylinder");
    assert_sharp(a->hellinger2, b->hellinger2, 1e-2, "Hellinger", "cylinder");
    if (!(disjoint && isnan(a->kl_p_q.value)))
        assert_sharp(a->kl_p_q, b->kl_p_q, 3e-3, "KL(p|q)", "cylinder");
    if (!(disjoint && isnan(a->kl_q_p.value)))
        assert_sharp(a->kl_q_p, b->kl_q_p, 3e-3, "KL(q|p)", "cylinder");
    if (!isnan(a->chi2_q_p.value))
        assert_sharp(a->chi2_q_p, b->chi2_q_p, 1e-3, "chi2", "cylinder");
}

static const struct {
    const char *engine, *sampler;
    size_t dimension, T[2]; /* of the small run, and of the full one */
    double mean[2], sd[2];
} routes[] = {{"radial", "ddpm", 3, {FEW, 48}, {0.0, 0.0}, {0.8, 1.2}},
              {"radial", "ddpm-ancestral", 1000, {96, 96}, {0.0, 0.0}, {0.99, 1.01}},
              {"plane", "ddpm", 2, {FEW, 48}, {-0.3, 0.4}, {0.7, 1.0}},
              {"radial", "accelerated-sde-2024", 30, {FEW, 64}, {0.0, 0.0}, {0.9, 1.1}}};
enum { FEW_ROUTES = 3 };

TEST(another_engine_has_the_law, .count = taken(2) == 2 ? COUNT(routes) : FEW_ROUTES, .grows = 1)
{
    const size_t T = routes[_i].T[taken(2) - 1];
    const struct sampler *sampler = sampler_find(routes[_i].sampler);
    struct factor factor = around_axis(routes[_i].dimension, uneven, routes[_i].mean, routes[_i].sd), other = factor;
    if (routes[_i].mean[0] == 0.0)
        other.mean = NULL;
    struct measured own[2], theirs[2];
    struct divergence a = divergence_by("cylinder", &factor, sampler, T, 1.0, own);
    struct divergence b = divergence_by(routes[_i].engine, &other, sampler, T, 1.0, theirs);
    all_agree(&a, &b);
    for (size_t k = 0; k < 2; k++)
        assert_sharp(own[k], theirs[k], 1e-4, "mass", "cylinder");
}

/* Noise whose variance is 1 % too large. */
static double loud(const struct step *step)
{
    return sampler_find("ddpm")->log_noise_ratio(step) + log(1.01);
}

/* Equal deviations: a line and Gaussians, which the target is taken apart into. What a planted error does is seen. */
TEST(a_line_and_gaussians_have_the_law, .grows = 1)
{
    static const double mean[] = {-0.5, 0.6}, sd[] = {0.7, 0.7};
    const size_t dimension = 12, T = steps(48);
    struct factor factor = around_axis(dimension, uneven, mean, sd);
    struct target target;
    struct measurement whole;
    OWNED_SCHEDULE *schedule = make_steps(T);
    target_init(&target, target_family_find("axis"));
    set_mixture(&target, 2, uneven, mean, sd);
    ASSERT_OK(measure_target, &(struct measure_problem){&target, sampler_find("ddpm"), NULL, schedule, 1}, &dimension,
              1, &whole);
    ASSERT_SAYS(whole.method, "line");
    struct divergence own = divergence_by("cylinder", &factor, sampler_find("ddpm"), T, 1.0, NULL);
    all_agree(&own, &whole.divergence);
    struct sampler wrong = *sampler_find("ddpm");
    wrong.log_noise_ratio = loud;
    struct divergence seen = divergence_by("cylinder", &factor, &wrong, T, 1.0, NULL);
    ck_assert(fabs(seen.tv.value - whole.divergence.tv.value) > 30.0 * (seen.tv.error + whole.divergence.tv.error));
}

/* Different deviations, where no other engine has the law: the radius holds, and a correction that is dropped shows.
 */
TEST(a_higher_resolution_is_within_the_radius, .grows = 1)
{
    static const double mean[] = {-0.3, 0.3}, sd[] = {0.7, 0.9};
    const size_t T = steps(128);
    struct factor factor = around_axis(20, half, mean, sd);
    struct divergence coarse = divergence_by("cylinder", &factor, sampler_find("accelerated"), T, 1.0, NULL);
    struct divergence fine = divergence_by("cylinder", &factor, sampler_find("accelerated"), T, 1.3, NULL);
    struct divergence dropped = divergence_by("cylinder", &factor, sampler_find("ddpm-ancestral"), T, 1.0, NULL);
    all_agree(&coarse, &fine);
    ck_assert(dropped.tv.value > 2.0 * (coarse.tv.value + coarse.tv.error));
}

/* The law of one component, followed alone, is that of the whole: in few dimensions, where rules end at the axis, and
 * in more. */
TEST(one_component_alone_has_its_mass, .count = (int)taken(2), .grows = 1)
{
    static const double mean[] = {-0.6, 0.9};
    const double sd[] = {1.0, taken(2) == 2 ? 0.5 : 0.7};
    static const size_t dimensions[] = {5, 60};
    const size_t T = steps(48), dimension = dimensions[_i];
    struct factor factor = around_axis(dimension, uneven, mean, sd);
    OWNED_SCHEDULE *schedule = make_steps(T);
    const struct law_problem problem = {.factor = &factor, .sampler = sampler_find("ddpm"), .schedule = schedule};
    struct measured whole[2];
    struct law_component own;
    (void)divergence_by("cylinder", &factor, problem.sampler, T, 1.0, whole);
    for (size_t k = 0; k < 2; k++) {
        ASSERT_OK(law_component, &problem, k, &own);
        assert_sharp(own.mass_error, whole[k], 3e-3, "mass of a component alone", "cylinder");
        ck_assert(own.half_distance.value >= 0.5 * fabs(own.mass_error.value));
    }
    struct error error;
    ck_assert_int_eq(law_component(&problem, 2, &own, &error), STATUS_INVALID);
}
