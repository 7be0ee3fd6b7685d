/* What the radial engine is made of: Bessel functions, the density of the radius, the panels; and single stages
 * against quadrature in d dimensions, along y and across it. */
#define _GNU_SOURCE /* M_PIl */
#include <gsl/gsl_eigen.h>
#include <gsl/gsl_integration.h>
#include <math.h>
#include <string.h>

#include "law/bessel.h"
#include "law/radial/panels.h"
#include "law/radial/transfer.h"

#include "test/suite.h"

TEST_SUITE(radial_parts);

/* ---- Bessel functions ---- */

static long double log_scaled_series(long double nu, long double z)
{
    long double term = 1.0L, rest = 0.0L;
    for (int k = 1; k < 20000 && term > 1e-22L * (1.0L + rest); k++) {
        term *= 0.25L * z * z / ((long double)k * (nu + (long double)k));
        rest += term;
    }
    return log1pl(rest) - z - nu * logl(2.0L) - lgammal(nu + 1.0L) + 0.5L * logl(2.0L * M_PIl * z) + nu * logl(z);
}

TEST(test_bessel)
{
    struct bessel bessel;
    for (double d = 1.0; d <= 1000.0; d = d < 6.0 ? d + 1.0 : floor(1.7 * d)) {
        double nu = 0.5 * d - 1.0, wanted[80], z[80], scaled[80], entire[80];
        size_t n = 0;
        bessel_init(nu, &bessel);
        for (double x = fmax(0.01, 0.01 * nu); x < 3000.0; x *= 1.3, n++) {
            z[n] = x;
            wanted[n] = (double)log_scaled_series((long double)nu, (long double)x);
        }
        bessel_log_scaled(&bessel, n, z, scaled);
        bessel_log_entire(&bessel, n, z, entire);
        for (size_t i = 0; i < n; i++) {
            double allowed = 4e-15 * (1.0 + nu + (z[i] < 40.0 ? z[i] : 0.0) + fabs(wanted[i]));
            double back = entire[i] + 0.5 * log(2.0 * M_PI * z[i]) + nu * log(z[i]);
            ck_assert_msg(fabs(scaled[i] - wanted[i]) <= allowed && fabs(back - wanted[i]) <= allowed,
                          "nu = %g, z = %g: %.17g, %.17g, not %.17g", nu, z[i], scaled[i], back, wanted[i]);
        }
    }
}

/* With a power among its logarithms: the sum of both, for any power. */
TEST(test_bessel_with_power)
{
    static const double powers[] = {0.0, 1e-9, -0.02, 0.3, -0.9, 0.99, 1.01, 1e9, -1.0 + 1e-9};
    struct bessel bessel;
    for (double nu = -0.5; nu < 1e5; nu = 3.0 * nu + 4.0) {
        double z[200], a[200], b[200], scaled[200], both[200];
        bessel_init(nu, &bessel);
        for (size_t k = 0; k < COUNT(powers); k++) {
            for (size_t i = 0; i < 200; i++) {
                z[i] = (1.0 + fabs(nu)) * exp(0.08 * (double)i - 5.0);
                b[i] = 1.0 + 0.01 * (double)i;
                a[i] = powers[k] * b[i];
            }
            bessel_log_scaled(&bessel, 200, z, scaled);
            memset(both, 0, sizeof both);
            bessel_add_with_power(&bessel, 200, z, a, b, both);
            for (size_t i = 0; i < 200; i++) {
                double power = (nu + 0.5) * log1p(a[i] / b[i]),
                       allowed = 2e-15 * (1.0 + fabs(scaled[i]) + fabs(power));
                ck_assert_msg(fabs(both[i] - scaled[i] - power) <= allowed,
                              "nu = %g, z = %g, a = %g: %.17g, not %.17g", nu, z[i], a[i], both[i],
                              scaled[i] + power);
            }
        }
    }
}

/* Of order 1/2 it is log(1 - exp(-2 z)); for large arguments all orders go to -(nu^2 - 1/4)/(2 z). */
TEST(test_bessel_limits)
{
    struct bessel bessel;
    double z[2] = {3.0, 1e12}, out[2], zero = 0.0;
    bessel_init(0.5, &bessel);
    bessel_log_scaled(&bessel, 2, z, out);
    ck_assert_double_le(fabs(out[0] - log1p(-exp(-6.0))), 1e-15);
    bessel_log_entire(&bessel, 1, &zero, out);
    ck_assert_double_le(fabs(out[0] - log(sqrt(2.0 / M_PI))), 1e-15);
    bessel_init(5e5, &bessel);
    bessel_log_scaled(&bessel, 2, z, out);
    ck_assert_double_le(fabs(out[1] + 0.125), 1e-12);
}

/* ---- Density and panels ---- */

static const double weights[2] = {0.3, 0.7}, sds[2] = {0.5, 1.0};

static struct radial_level make_level(const struct factor *factor, double alpha_bar, double noise)
{
    struct radial_level radial;
    struct level level = {alpha_bar, noise};
    ASSERT_OK(radial_level_new, factor, &radial);
    radial_level_set(&radial, &level);
    return radial;
}

/* E of 1, and of rho^2/d, over panels by their own Gauss rules. */
static void moments(const struct radial_level *radial, const struct panels *panels, double *out)
{
    gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(32);
    out[0] = out[1] = 0.0;
    for (size_t p = 0; p < panels->count; p++)
        for (size_t j = 0; j < 32; j++) {
            double x, weight, log_density;
            (void)gsl_integration_glfixed_point(-1.0, 1.0, j, &x, &weight, table);
            x = panels->panel[p].centre + panels->panel[p].half_width * x;
            radial_level_log_density(radial, 1, &x, &log_density);
            out[0] += weight * panels->panel[p].half_width * exp(log_density);
            out[1] += weight * panels->panel[p].half_width * exp(log_density) * x * x / radial->dimension;
        }
    gsl_integration_glfixed_table_free(table);
}

TEST(test_density)
{
    static const size_t dimensions[] = {1, 2, 3, 10, 300, 10000, 1000000};
    for (size_t i = 0; i < COUNT(dimensions); i++) {
        struct factor factor = {dimensions[i], 2, weights, NULL, sds, NULL, NULL, NULL};
        OWNED(radial_level) radial = make_level(&factor, 0.6, 0.4);
        OWNED(panels) panels = {0};
        double moment[2], second = 0.6 * (0.3 * 0.25 + 0.7) + 0.4;
        ASSERT_OK(radial_panels_lay_out, &radial, 1.0, 0.0, &panels);
        moments(&radial, &panels, moment);
        ck_assert_msg(fabs(moment[0] - 1.0) < 1e-12, "d = %zu: mass 1 + %g", dimensions[i], moment[0] - 1.0);
        ck_assert_msg(fabs(moment[1] - second) < 1e-12, "d = %zu: second moment %.15g", dimensions[i], moment[1]);
    }
}

/* kappa is the derivative of log p over rho, and log p the anchor's Gaussian plus the excess. */
TEST(test_score)
{
    struct factor factor = {5, 2, weights, NULL, sds, NULL, NULL, NULL};
    OWNED(radial_level) radial = make_level(&factor, 0.9, 0.1);
    for (double rho = 0.5; rho < 5.0; rho += 0.3) {
        double around[3] = {rho - 1e-4, rho, rho + 1e-4}, excess[2][3], kappa[3], surface[3];
        for (size_t anchor = 0; anchor < 2; anchor++)
            radial_level_evaluate(&radial, anchor, 3, around, excess[anchor], kappa);
        radial_level_log_density(&radial, 3, around, surface);
        for (int anchor = 0; anchor < 2; anchor++) {
            double slope = (excess[anchor][2] - excess[anchor][0]) / 2e-4 - rho * radial.inverse_variance[anchor];
            ck_assert_double_le(fabs(slope - kappa[1] * rho), 1e-6);
        }
        double slope = (surface[2] - surface[0]) / 2e-4 - 4.0 / rho;
        ck_assert_double_le(fabs(slope - kappa[1] * rho), 1e-6);
    }
}

/* Where the other component is below rounding one is taken alone: the same bits as in a batch that holds the other
 * shell, too, from one shell to the other. */
TEST(test_score_alone)
{
    enum { POINTS = 8 };
    struct factor factor = {1000, 2, weights, NULL, sds, NULL, NULL, NULL};
    OWNED(radial_level) radial = make_level(&factor, 0.9, 0.1);
    double from = sqrt(1000.0) * radial.sd[0], to = sqrt(1000.0) * radial.sd[1];
    for (int step = 0; step < 400; step++) {
        double rho[2 * POINTS], excess[2][2 * POINTS], kappa[2][2 * POINTS];
        for (size_t i = 0; i < POINTS; i++) {
            rho[i] = from + (to - from) * (step + 0.1 * (double)i) / 400.0;
            rho[POINTS + i] = i % 2 == 0 ? from : to;
        }
        radial_level_evaluate(&radial, 0, POINTS, rho, excess[0], kappa[0]);
        radial_level_evaluate(&radial, 0, 2 * POINTS, rho, excess[1], kappa[1]);
        ck_assert_mem_eq(excess[0], excess[1], POINTS * sizeof *rho);
        ck_assert_mem_eq(kappa[0], kappa[1], POINTS * sizeof *rho);
    }
}

static void in_order(const struct panels *panels)
{
    for (size_t p = 0; p < panels->count; p++) {
        const struct panel *panel = &panels->panel[p];
        ck_assert_double_gt(panel->half_width, 0.0);
        if (p > 0 && !panels_at_end(panels, p, 0))
            ck_assert_double_le(fabs(panel->centre - panel->half_width - panel[-1].centre - panel[-1].half_width),
                                1e-12 * panel->centre);
        else if (p > 0)
            ck_assert_double_gt(panel->centre - panel->half_width, panel[-1].centre + panel[-1].half_width);
    }
}

/* At all levels, for shells that part; moved ones too; and the even panel at the origin is as good as the others. */
TEST(test_panels)
{
    static const double narrow[2] = {0.001, 1.0};
    static const size_t dimensions[] = {1, 2, 30, 10000};
    for (size_t i = 0; i < 4; i++) {
        struct factor factor = {dimensions[i], 2, weights, NULL, narrow, NULL, NULL, NULL};
        OWNED(panels) panels = {0}, moved = {0}, finer = {0};
        struct radial_basis basis;
        radial_basis_init(&basis);
        for (double noise = 0.999; noise > 1e-12; noise *= 0.5) {
            OWNED(radial_level) radial = make_level(&factor, 1.0 - noise, noise);
            struct level later = {1.0 - 0.9 * noise, 0.9 * noise};
            int ordered;
            ASSERT_OK(radial_panels_lay_out, &radial, 1.0, 0.0, &panels);
            ASSERT_OK(radial_panels_lay_out, &radial, 2.0, 0.0, &finer);
            in_order(&panels);
            ck_assert_uint_gt(finer.count, panels.count + panels.count / 2);
            ck_assert_uint_lt(panels.count, 300);
            for (size_t p = 0; p < panels.count; p++) {
                double rho[PANEL_NODES], value[PANEL_NODES], x, made;
                size_t hint = 0, n = radial_panel_nodes(&basis, &panels.panel[p], rho);
                double width = radial.sd[panels.panel[p].anchor];
                for (size_t j = 0; j < n; j++)
                    value[j] = cos(rho[j] / width);
                radial_panel_fit(&basis, value, &panels.panel[p]);
                x = panels.panel[p].centre + 0.37 * panels.panel[p].half_width;
                radial_panels_evaluate(&panels, 1, &x, &made, &hint);
                ck_assert_uint_eq(hint, p);
                if (panels.panel[p].half_width < width)
                    ck_assert_double_le(fabs(made - cos(x / width)), 1e-9);
            }
            radial_level_set(&radial, &later);
            ASSERT_OK(radial_panels_move, &panels, &radial, &moved, &ordered);
            if (ordered)
                in_order(&moved);
        }
    }
}

/* ---- One stage, in d dimensions ---- */

enum { ALONG = 40, ACROSS = 40 };

struct plane_rule {
    double z[ALONG], z_weight[ALONG];   /* N(0, 1) */
    double q[ACROSS], q_weight[ACROSS]; /* chi-square with d - 1 degrees of freedom */
};

/* Golub and Welsch: nodes are the eigenvalues of the Jacobi matrix, weights the squares of the eigenvectors' first
 * entries; for any d, with nothing that overflows. */
static void golub_welsch(size_t n, const double *diagonal, const double *beside, double *node, double *weight)
{
    gsl_matrix *jacobi = gsl_matrix_calloc(n, n), *vectors = gsl_matrix_alloc(n, n);
    gsl_vector *values = gsl_vector_alloc(n);
    gsl_eigen_symmv_workspace *work = gsl_eigen_symmv_alloc(n);
    for (size_t i = 0; i < n; i++) {
        gsl_matrix_set(jacobi, i, i, diagonal[i]);
        if (i + 1 < n) {
            gsl_matrix_set(jacobi, i, i + 1, beside[i]);
            gsl_matrix_set(jacobi, i + 1, i, beside[i]);
        }
    }
    ck_assert_int_eq(gsl_eigen_symmv(jacobi, values, vectors, work), 0);
    for (size_t i = 0; i < n; i++) {
        node[i] = gsl_vector_get(values, i);
        weight[i] = gsl_matrix_get(vectors, 0, i) * gsl_matrix_get(vectors, 0, i);
    }
    gsl_eigen_symmv_free(work);
    gsl_matrix_free(jacobi);
    gsl_matrix_free(vectors);
    gsl_vector_free(values);
}

/* Gauss-Hermite along y, generalised Gauss-Laguerre across: for chi-square with m degrees of freedom, diagonal 4 k +
 * m and beside it 2 sqrt(k (k + m/2 - 1)). */
static void make_plane_rule(double dimension, struct plane_rule *out)
{
    double zero[ALONG] = {0.0}, diagonal[ACROSS], beside[ACROSS];
    for (size_t k = 0; k < ALONG; k++)
        beside[k] = sqrt((double)k + 1.0);
    golub_welsch(ALONG, zero, beside, out->z, out->z_weight);
    for (size_t k = 0; k < ACROSS; k++) {
        diagonal[k] = 4.0 * (double)k + dimension - 1.0;
        beside[k] = 2.0 * sqrt(((double)k + 1.0) * ((double)k + 0.5 * (dimension - 1.0)));
    }
    golub_welsch(ACROSS, diagonal, beside, out->q, out->q_weight);
}

static double test_ratio(double rho, double radius)
{
    double x = rho / radius;
    return 0.3 * x * x - 0.1 * cos(2.0 * x);
}

/* E of r c over x = a y + sqrt(b) z, theory (14)-(15) as printed. */
static double in_space(const struct radial_transfer *transfer, const struct plane_rule *rule, double b, double radius,
                       double rho)
{
    double total = 0.0, d = transfer->from->dimension, v = transfer->stage.noise, work[8], from, to, surface;
    radial_level_log_density(transfer->to, 1, &rho, &to);
    for (size_t i = 0; i < ALONG; i++)
        for (size_t j = 0; j < ACROSS; j++) {
            double z = rule->z[i], square = z * z + rule->q[j];
            double along = transfer->stage.a * rho + sqrt(b) * z, x = hypot(along, sqrt(b * rule->q[j])), D;
            transfer->stage.sampler->increment(transfer->stage.step, &transfer->oracle->base, 1, &x, &D, work);
            double kappa = transfer->stage.moves ? D / x : 0.0;
            double across = sqrt(b * rule->q[j]) * (1.0 + kappa);
            double missed = transfer->stage.a * rho - along * (1.0 + kappa);
            radial_level_log_density(transfer->from, 1, &x, &from);
            surface = (d - 1.0) * log(x / rho);
            total += rule->z_weight[i] * rule->q_weight[j]
                     * exp(test_ratio(x, radius) - 0.5 * (missed * missed + across * across) / v + 0.5 * square
                           + 0.5 * d * log(b / v) + d * log(transfer->stage.a) + from - to - surface);
        }
    return log(total);
}

static const struct {
    size_t dimension;
    double omega;
    const char *sampler;
    int before;
} stages[] = {
    {2, 0.1, "ddpm", 0},
    {2, 0.05, "accelerated", 0},
    {3, 0.2, "ddpm-ancestral", 0},
    {10, 0.05, "accelerated", 0},
    {10, 0.1, "accelerated-sde-2024", 1},
    {100, 0.03, "accelerated", 0},
    {1000, 0.01, "ddpm", 0},
    {10000, 0.003, "accelerated", 0},
    {10000, 0.002, "ddpm-outside", 0},
    {2, 0.1, "accelerated-sde-2024", 1},
};

TEST(test_stage_in_space, .count = COUNT(stages))
{
    struct factor factor = {stages[_i].dimension, 2, weights, NULL, sds, NULL, NULL, NULL};
    const struct sampler *sampler = sampler_find(stages[_i].sampler);
    double noise = 0.5, d = (double)stages[_i].dimension, omega = stages[_i].omega, beta = omega * noise;
    double alpha_bar = 0.5 / (1.0 - beta), u = 0.0;
    struct step step = {.t = 2,
                        .from = {0.5, noise},
                        .to = {alpha_bar, noise * (1.0 - omega) / (1.0 - beta)},
                        .alpha = 1.0 - beta,
                        .log_alpha = log1p(-beta),
                        .beta = beta,
                        .beta_before = beta,
                        .beta_after = beta,
                        .omega = omega,
                        .params = sampler->values,
                        .clip = HUGE_VAL};
    if (stages[_i].before)
        u = beta * exp(sampler->log_noise_before(&step));
    OWNED(radial_level) from = make_level(&factor, 0.5, noise);
    OWNED(radial_level) to = stages[_i].before ? make_level(&factor, 0.5, noise + u)
                                               : make_level(&factor, step.to.alpha_bar, step.to.noise);
    struct radial_oracle oracle;
    struct radial_transfer transfer;
    OWNED(radial_team) threads;
    struct radial_basis basis;
    struct plane_rule rule;
    OWNED(panels) grid = {0};
    double radius = sqrt(d) * from.sd[1];
    radial_basis_init(&basis);
    make_plane_rule(d, &rule);
    radial_oracle_init(&oracle);
    oracle = (struct radial_oracle){.base = oracle.base, .levels = 2, .density = {&from, &to}};
    ASSERT_OK(radial_panels_lay_out, &from, 1.0, 0.0, &grid);
    for (size_t p = 0; p < grid.count; p++) {
        double rho[PANEL_NODES];
        size_t n = radial_panel_nodes(&basis, &grid.panel[p], rho);
        for (size_t j = 0; j < n; j++)
            rho[j] = test_ratio(rho[j], radius);
        radial_panel_fit(&basis, rho, &grid.panel[p]);
    }
    ASSERT_OK(radial_team_new, sampler, d, NULL, &threads);
    struct stage stage = stage_of(sampler, &step, stages[_i].before ? STAGE_NOISE : STAGE_MAP);
    radial_transfer_init(&transfer, &stage, &from, &to, &grid, &oracle);
    for (double part = -1.0; part <= 3.0; part += 0.5) {
        double rho = fmax(to.sd[0] * (sqrt(d) + part), 0.02 * to.sd[0]), made;
        size_t hint = 0;
        ASSERT_OK(radial_transfer_apply, &transfer, threads.work, 16, radial_level_dominant(&to, rho), to.sd[0], 1,
                  &rho, &made, &hint);
        double wanted = in_space(&transfer, &rule, stages[_i].before ? u : beta, radius, rho);
        ck_assert_msg(fabs(made - wanted) < 1e-10 + 1e-14 * d, "stage %d, rho = %g: %.15g, in space %.15g", _i, rho,
                      made, wanted);
    }
}
