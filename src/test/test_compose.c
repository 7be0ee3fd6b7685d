/* TV of direct sums against chi-square probabilities, a two-dimensional quadrature and literal sums. */
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

#include "law/divergence.h"
#include "law/integrals.h"
#include "law/measure.h"
#include "model/target.h"

#include "test/laws.h"
#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(compose);

static double one = 1.0, zero = 0.0, half = 0.5;
static double bimodal_weight[] = {0.5, 0.5}, bimodal_mean[] = {-1.0, 1.0}, bimodal_sd[] = {0.3, 0.3};
static double skewed_weight[] = {0.2, 0.5, 0.3}, skewed_mean[] = {-1.5, 0.0, 1.0}, skewed_sd[] = {0.2, 0.5, 0.3};
static const struct factor gauss = {1, 1, &one, &zero, &half, NULL, NULL, NULL};
static const struct factor bimodal = {1, 2, bimodal_weight, bimodal_mean, bimodal_sd, NULL, NULL, NULL};
static const struct factor skewed = {1, 3, skewed_weight, skewed_mean, skewed_sd, NULL, NULL, NULL};

static void compute(const struct factor *factor, const char *sampler, size_t T, struct law *law)
{
    struct error error;
    OWNED_SCHEDULE *schedule = make_li_cai(T);
    enum status status = law_compute(
        &(struct law_problem){.factor = factor, .sampler = sampler_find(sampler), .schedule = schedule}, law, &error);
    ck_assert_msg(status == STATUS_OK, "%s", error.text);
}

static struct measured composed(const struct law_group *groups, size_t count)
{
    struct measured tv;
    struct error error;
    enum status status = tv_composed(groups, count, &tv, &error);
    ck_assert_msg(status == STATUS_OK, "%s", error.text);
    ck_assert(isfinite(tv.value) && tv.error > 0.0);
    ck_assert_msg(tv.value >= 0.0 && tv.value <= 1.0 + 1e-6, "TV = %.17g", tv.value);
    return tv;
}

static void near(struct measured measured, double exact, double relative, const char *what)
{
    ck_assert_msg(fabs(measured.value - exact) <= measured.error + relative * fabs(exact),
                  "%s: %.15g +- %.3g, not %.15g", what, measured.value, measured.error, exact);
}

/* rho of a centred Gaussian law N(0, V (1 + rho)), from the quadratic coefficient rho/(2 V (1 + rho)) of log r. */
static long double rho_of(const struct law *law)
{
    const struct panel *panel = &law->log_ratio.panel[0];
    long double w = panel->half_width, V = 1.0L / law->target.inverse_variance[0];
    long double part = 2.0L * V * panel->coefficient[2] / (w * w);
    return part / (1.0L - part);
}

/* TV of d copies: |F(x) - F(x/(1 + rho))| with F of chi-square and x where the densities cross, as the integral of
 * F'. */
static double chi_square_tv(long double rho, double d)
{
    enum { PIECES = 400 };
    static const long double node[3] = {-0.774596669241483377L, 0.0L, 0.774596669241483377L};
    static const long double weight[3] = {5.0L / 18.0L, 8.0L / 18.0L, 5.0L / 18.0L};
    long double x = d * (1.0L + rho) * log1pl(rho) / rho, from = x / (1.0L + rho), total = 0.0L;
    long double length = (x - from) / PIECES, constant = 0.5L * d * logl(2.0L) + lgammal(0.5L * d);
    for (int i = 0; i < PIECES; i++)
        for (int j = 0; j < 3; j++) {
            long double u = from + length * (i + 0.5L * (1.0L + node[j]));
            total += weight[j] * length * expl((0.5L * d - 1.0L) * logl(u) - 0.5L * u - constant);
        }
    return fabs((double)total);
}

static const struct {
    const char *sampler;
    size_t T;
} flat[] = {
    {"ddpm", 64},           {"ddpm", 1024},      {"ddpm", 8192},       {"ddpm", 16384},       {"ddpm-ancestral", 128},
    {"ddpm-outside", 4096}, {"accelerated", 64}, {"accelerated", 128}, {"accelerated", 1024}, {"accelerated", 4096},
};

TEST(test_flat_gaussian, .count = COUNT(flat))
{
    static const double dimensions[] = {2, 3, 5, 8, 16, 24, 32, 48, 64, 100, 1024, 30000, 1e6};
    OWNED(law) law;
    compute(&gauss, flat[_i].sampler, flat[_i].T, &law);
    long double rho = rho_of(&law);
    double before = 0.0;
    for (size_t i = 0; i < COUNT(dimensions); i++) {
        double d = dimensions[i], x = (double)(d * (1.0L + rho) * log1pl(rho) / rho);
        struct law_group group = {&law, d};
        struct measured tv = composed(&group, 1);
        near(tv, chi_square_tv(rho, d), 1e-12, "the integral of chi-square's density");
        double lower = gsl_cdf_chisq_P(x, d) - gsl_cdf_chisq_P(x / (1.0 + (double)rho), d);
        double upper = gsl_cdf_chisq_Q(x / (1.0 + (double)rho), d) - gsl_cdf_chisq_Q(x, d);
        if (tv.value > 1e-3 && d <= 30000) { /* GSL's own incomplete gamma is good to 1e-5 at d = 10^6 */
            near(tv, fabs(lower), 1e-9, "chi-square's lower tails");
            near(tv, fabs(upper), 1e-9, "chi-square's upper tails");
        }
        ck_assert_msg(tv.value >= before - tv.error, "TV falls to %.17g from %.17g at d = %g", tv.value, before, d);
        ck_assert_msg(tv.error < 1e-4 * tv.value, "the radius %g of %g says nothing", tv.error, tv.value);
        before = tv.value;
    }
}

/* The closed form above, at d = 2, where it is elementary. */
TEST(test_chi_square)
{
    double rho = 0.1, x = 2.0 * 1.1 * log1p(0.1) / 0.1;
    ck_assert_double_eq_tol(chi_square_tv(rho, 2.0), exp(-0.5 * x / 1.1) - exp(-0.5 * x), 1e-13);
}

static const struct factor *const factors[] = {&gauss, &bimodal, &skewed};

TEST(test_two_routes, .count = 3)
{
    static const char *const samplers[] = {"ddpm", "ddpm-ancestral", "accelerated"};
    for (size_t s = 0; s < 3; s++) {
        OWNED(law) law;
        struct measured direct;
        compute(factors[_i], samplers[s], 256, &law);
        struct law_group group = {&law, 1.0};
        struct measured tv = composed(&group, 1);
        ASSERT_OK(tv_single, &law, &direct);
        ck_assert(direct.error > 0.0 && direct.error < 1e-4 * direct.value && tv.error < 1e-4 * tv.value);
        near(tv, direct.value, direct.error / direct.value, samplers[s]);
    }
}

/* A law that has lost mass is normalised: otherwise a defect of 1e-3 would be one of 1e-1 in 100 copies. */
TEST(test_normalised)
{
    OWNED(law) law;
    compute(&bimodal, "ddpm", 256, &law);
    struct law_group group = {&law, 100.0};
    double exact = composed(&group, 1).value;
    for (size_t p = 0; p < law.log_ratio.count; p++)
        law.log_ratio.panel[p].coefficient[0] -= 1e-3;
    law.mass_defect = expm1(log1p(law.mass_defect) - 1e-3);
    ck_assert_double_eq_tol(composed(&group, 1).value, exact, 1e-9 * exact);
}

/* A law on a grid so fine that log r is monotonic in nearly every cell. */
struct fine {
    size_t count;
    double *p, *q;        /* mass of the cell under p and, normalised, q */
    double *left, *right; /* log r at its ends */
    double *x, *width;
    const struct panel **panel;
};

static double ratio_at(const struct law *law, const struct panel *panel, double x)
{
    double value;
    panel_evaluate(panel, 0.0, 1, &x, &value);
    return value - log1p(law->mass_defect);
}

/* Masses of a piece of a panel under p and q. */
static void masses(const struct law *law, const struct panel *panel, double from, double to, double *p, double *q)
{
    OWNED(law_nodes) nodes = {0};
    ASSERT_OK(law_nodes_append, law, panel, from, to, &nodes);
    *p = *q = 0.0;
    for (size_t j = 0; j < nodes.count; j++) {
        *p += nodes.weight[j];
        *q += nodes.weight[j] * exp(nodes.log_ratio[j] - log1p(law->mass_defect));
    }
}

static struct fine refine(const struct law *law, size_t cells_a_panel)
{
    size_t count = law->log_ratio.count * cells_a_panel;
    double *block = calloc(6 * count, sizeof *block);
    struct fine fine = {count,
                        block,
                        block + count,
                        block + 2 * count,
                        block + 3 * count,
                        block + 4 * count,
                        block + 5 * count,
                        calloc(count, sizeof(struct panel *))};
    ck_assert(block != NULL && fine.panel != NULL);
    for (size_t i = 0; i < count; i++) {
        const struct panel *panel = &law->log_ratio.panel[i / cells_a_panel];
        fine.panel[i] = panel;
        fine.width[i] = 2.0 * panel->half_width / (double)cells_a_panel;
        fine.x[i] = panel->centre - panel->half_width + fine.width[i] * (double)(i % cells_a_panel);
        masses(law, panel, fine.x[i], fine.x[i] + fine.width[i], &fine.p[i], &fine.q[i]);
        fine.left[i] = ratio_at(law, panel, fine.x[i]);
        fine.right[i] = ratio_at(law, panel, fine.x[i] + fine.width[i]);
    }
    return fine;
}

static void fine_free(struct fine *fine)
{
    free(fine->p);
    free(fine->panel);
}

/* E_p (1 - e^{l + L})_+ over the law of L, cells cut where L = -l. */
static double inner(const struct law *law, const struct fine *fine, double l)
{
    double total = 0.0, scale = exp(l);
    for (size_t i = 0; i < fine->count; i++) {
        double left = fine->left[i] + l, right = fine->right[i] + l;
        if (left <= 0.0 && right <= 0.0)
            total += fine->p[i] - scale * fine->q[i];
        else if (left < 0.0 || right < 0.0) {
            double low = fine->x[i], high = low + fine->width[i], p, q;
            for (int bisect = 0; bisect < 40; bisect++) {
                double middle = 0.5 * (low + high);
                *((ratio_at(law, fine->panel[i], middle) + l < 0.0) == (left < 0.0) ? &low : &high) = middle;
            }
            if (left < 0.0)
                masses(law, fine->panel[i], fine->x[i], low, &p, &q);
            else
                masses(law, fine->panel[i], low, fine->x[i] + fine->width[i], &p, &q);
            total += p - scale * q;
        }
    }
    return total;
}

/* TV of the sum of a law and of another whose E(1 - e^{l + L})_+ is known for every l. */
static double outer(const struct law *law, double (*inside)(const void *context, double l), const void *context)
{
    enum { CUTS = 6 };
    OWNED(law_nodes) nodes = {0};
    double total = 0.0;
    for (size_t p = 0; p < law->log_ratio.count; p++)
        for (int cut = 0; cut < CUTS; cut++) {
            const struct panel *panel = &law->log_ratio.panel[p];
            double from = panel->centre + panel->half_width * (2.0 * cut / CUTS - 1.0);
            nodes.count = 0;
            ASSERT_OK(law_nodes_append, law, panel, from, from + 2.0 * panel->half_width / CUTS, &nodes);
            for (size_t j = 0; j < nodes.count; j++)
                if (nodes.weight[j] > 1e-18)
                    total += nodes.weight[j] * inside(context, nodes.log_ratio[j] - log1p(law->mass_defect));
        }
    return total;
}

struct other_law {
    const struct law *law;
    struct fine fine;
};

static double inside_law(const void *context, double l)
{
    const struct other_law *other = context;
    return inner(other->law, &other->fine, l);
}

TEST(test_two_mixtures, .count = 3)
{
    static const char *const samplers[] = {"ddpm", "ddpm-ancestral", "accelerated"};
    OWNED(law) a, b;
    compute(&bimodal, samplers[_i], 128, &a);
    compute(&skewed, samplers[_i], 128, &b);
    struct other_law other = {&b, refine(&b, 24)};
    struct law_group groups[] = {{&a, 1.0}, {&b, 1.0}}, swapped[] = {{&b, 1.0}, {&a, 1.0}};
    struct measured tv = composed(groups, 2);
    double exact = outer(&a, inside_law, &other);
    ck_assert_msg(fabs(tv.value / exact - 1.0) < 1e-7, "%s: TV = %.12g +- %.3g, by quadrature %.12g", samplers[_i],
                  tv.value, tv.error, exact);
    near(composed(swapped, 2), tv.value, 1e-9, "the order of the factors");
    fine_free(&other.fine);
}

struct gaussian_rest {
    double rho, copies;
};

/* L = -n log(1 + rho)/2 + rho S/(2 (1 + rho)) with S chi-square under p and (1 + rho) chi-square under q. */
static double inside_gaussian(const void *context, double l)
{
    const struct gaussian_rest *rest = context;
    double rho = rest->rho, n = rest->copies;
    double x = fmax((1.0 + rho) / rho * (n * log1p(rho) - 2.0 * l), 0.0);
    return rho > 0.0 ? gsl_cdf_chisq_P(x, n) - exp(l) * gsl_cdf_chisq_P(x / (1.0 + rho), n)
                     : gsl_cdf_chisq_Q(x, n) - exp(l) * gsl_cdf_chisq_Q(x / (1.0 + rho), n);
}

TEST(test_mixture_beside_gaussians, .count = 4)
{
    static const struct {
        const char *sampler;
        double copies;
    } cases[] = {{"ddpm", 1}, {"ddpm", 15}, {"ddpm-ancestral", 7}, {"ddpm", 255}};
    OWNED(law) mixture, gaussian;
    compute(&bimodal, cases[_i].sampler, 256, &mixture);
    compute(&gauss, cases[_i].sampler, 256, &gaussian);
    struct gaussian_rest rest = {(double)rho_of(&gaussian), cases[_i].copies};
    struct law_group groups[] = {{&mixture, 1.0}, {&gaussian, cases[_i].copies}};
    near(composed(groups, 2), outer(&mixture, inside_gaussian, &rest), 1e-8, cases[_i].sampler);
}

static struct divergence measure(const struct factor_list *list, const char *sampler, size_t T)
{
    FREED struct law *laws = calloc(list->count, sizeof *laws);
    FREED struct law_group *groups = calloc(list->count, sizeof *groups);
    struct divergence divergence;
    ck_assert(laws != NULL && groups != NULL);
    for (size_t i = 0; i < list->count; i++) {
        compute(&list->group[i].factor, sampler, T, &laws[i]);
        groups[i] = (struct law_group){&laws[i], list->group[i].multiplicity};
    }
    ASSERT_OK(divergence_measure, groups, list->count, &divergence);
    for (size_t i = 0; i < list->count; i++)
        law_free(&laws[i]);
    return divergence;
}

static void same(double a, double b, const char *what)
{
    ck_assert_msg(fabs(a - b) <= 1e-10 * fabs(b), "%s: %.15g, literally %.15g", what, a, b);
}

/* The block-compressed spectrum against every eigenvalue taken one by one. */
TEST(test_power_law, .count = 3)
{
    static const struct {
        const char *sampler;
        double exponent;
        size_t dimension;
    } cases[] = {{"ddpm", 1.0, 3000}, {"accelerated", 2.0, 3000}, {"ddpm-ancestral", 0.3, 700}};
    struct target target;
    OWNED(factor_list) compressed, literal = {0};
    size_t d = cases[_i].dimension;
    target_init(&target, target_family_find("gaussian"));
    *real_in(&target, "variance") = 0.8;
    *integer_in(&target, "spectrum") = 1;
    *real_in(&target, "exponent") = cases[_i].exponent;
    ASSERT_OK(target_factors, &target, d, &compressed);
    ck_assert_uint_lt(compressed.count, d / 2);
    double copies = 0.0;
    for (size_t i = 0; i < compressed.count; i++)
        copies += compressed.group[i].multiplicity;
    same(copies, (double)d, "the number of factors");
    for (size_t i = 1; i <= d; i++) {
        double sd = sqrt(0.8 * pow((double)i, -cases[_i].exponent));
        struct factor factor = {1, 1, &one, &zero, &sd, NULL, NULL, NULL};
        ASSERT_OK(factor_list_append, &literal, &factor, 1.0);
    }
    struct divergence a = measure(&compressed, cases[_i].sampler, 128), b = measure(&literal, cases[_i].sampler, 128);
    same(a.kl_p_q.value, b.kl_p_q.value, "KL(p|q)");
    same(a.kl_q_p.value, b.kl_q_p.value, "KL(q|p)");
    near(a.tv, b.tv.value, 1e-9, "TV");
    near(a.hellinger2, b.hellinger2.value, 1e-9, "Hellinger");
}

TEST(test_k_of_d)
{
    struct target target;
    struct measurement m;
    size_t d = 50;
    struct factor point = {1, 1, &one, &zero, &zero, NULL, NULL, NULL};
    target_init(&target, target_family_find("gaussian"));
    *real_in(&target, "variance") = 0.25;
    *integer_in(&target, "spectrum") = 2;
    *integer_in(&target, "k") = 8;
    OWNED_SCHEDULE *schedule = make_li_cai(256);
    ASSERT_OK(measure_target, &(struct measure_problem){&target, sampler_find("ddpm"), NULL, schedule, 1}, &d, 1, &m);
    OWNED(factor_list) list = {0};
    for (size_t i = 0; i < d; i++)
        ASSERT_OK(factor_list_append, &list, i < 8 ? &gauss : &point, 1.0);
    struct divergence literal = measure(&list, "ddpm", 256);
    same(m.divergence.kl_p_q.value, literal.kl_p_q.value, "KL(p|q)");
    same(m.divergence.chi2_q_p.value, literal.chi2_q_p.value, "chi2");
    near(m.divergence.tv, literal.tv.value, 1e-9, "TV");
}

/* TV next to 1 stays there, and its radius holds. */
/* Few steps lose the tails of a Student-t law: log r falls to -1e3, on a mass of 1e-7. One factor by both
 * routes, and no number without a radius. */
TEST(test_lost_tails, .count = 4)
{
    static const size_t steps[] = {32, 45, 64, 128};
    static const char *const samplers[] = {"ddpm", "accelerated"};
    struct target target;
    OWNED(factor_list) list;
    struct law law;
    struct measured direct;
    struct divergence d;
    target_init(&target, target_family_find("student-t"));
    *real_in(&target, "nu") = 2.5;
    ASSERT_OK(target_factors, &target, 1, &list);
    for (int s = 0; s < 2; s++) {
        compute(&list.group[0].factor, samplers[s], steps[_i], &law);
        double lowest = 0.0;
        for (size_t p = 0; p < law.log_ratio.count; p++)
            lowest = fmin(lowest, law.log_ratio.panel[p].coefficient[0]);
        ck_assert_msg(lowest < -36.0, "log r is no lower than %g", lowest);
        struct law_group group = {&law, 1.0};
        ASSERT_OK(tv_single, &law, &direct);
        struct measured tv = composed(&group, 1);
        near(tv, direct.value, 0.0, samplers[s]);
        ck_assert_msg(tv.error < 0.01 * tv.value, "TV = %g +- %g", tv.value, tv.error);
        group.multiplicity = 16.0;
        ASSERT_OK(divergence_measure, &group, 1, &d);
        const struct measured all[] = {d.tv, d.kl_p_q, d.kl_q_p, d.chi2_q_p, d.hellinger2};
        for (int i = 0; i < 5; i++)
            ck_assert_msg(isnan(all[i].value) == isnan(all[i].error), "%s: divergence %d is %g +- %g", samplers[s], i,
                          all[i].value, all[i].error);
        ck_assert(isfinite(d.tv.value) && isfinite(d.kl_q_p.value) && isfinite(d.hellinger2.value));
        law_free(&law);
    }
}

TEST(test_near_one)
{
    for (size_t f = 0; f < 3; f++) {
        OWNED(law) law;
        compute(factors[f], "ddpm", 64, &law);
        double before = 0.0;
        for (double d = 1.0; d < 2e6; d *= 4.0) {
            struct law_group group = {&law, d};
            struct measured tv = composed(&group, 1);
            ck_assert_msg(tv.value >= before - tv.error && tv.value <= 1.0 + 1e-6, "d = %g: TV = %.17g after %.17g",
                          d, tv.value, before);
            if (d > 1e5)
                ck_assert_msg(fabs(tv.value - 1.0) <= fmin(tv.error + 1e-12, 1e-6), "TV = %.17g +- %g", tv.value,
                              tv.error);
            before = tv.value;
        }
    }
}
