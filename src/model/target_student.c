#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>

#include "model/target.h"

/* X = scale S Z with S^2 = nu/chi2_nu. The law of theta = log S has the density proportional to exp(a(-2 theta -
 * exp(-2 theta))), a = nu/2, and a trapezoid sum over theta is a Gaussian mixture. */

#define SMALLEST_ERROR 1e-17
#define LARGEST_NU 1e6 /* beyond, rounding is larger than the distance to a Gaussian */

/* P(S > e^theta) and P(S < e^theta). */
static double above(double a, double theta)
{
    return gsl_cdf_gamma_P(a * exp(-2.0 * theta), a, 1.0);
}

static double below(double a, double theta)
{
    return gsl_cdf_gamma_Q(a * exp(-2.0 * theta), a, 1.0);
}

/* The theta at which a monotone tail is `level`, on the side of 0 to which `far` points. */
static double tail_end(double (*tail)(double a, double theta), double a, double level, double far)
{
    double near = -1e-2 * far;
    for (int i = 0; i < 60; i++) {
        double middle = 0.5 * (near + far);
        *(tail(a, middle) > level ? &near : &far) = middle;
    }
    return near;
}

/* TV between a trapezoid sum without ends and the integral. By Poisson's formula its density is off by the factor
 * 1 + 2 |Gamma(b + i pi/spacing)|/Gamma(b) cos(...), b = (nu + 1)/2, about exp(-pi^2/(2 spacing)); |cos| is 2/pi on
 * average. */
static double aliasing(double a, double spacing)
{
    gsl_sf_result log_modulus, argument;
    if (gsl_sf_lngamma_complex_e(a + 0.5, M_PI / spacing, &log_modulus, &argument) != 0)
        return 1.0;
    return 2.0 / M_PI * exp(log_modulus.val - lgamma(a + 0.5));
}

/* Cuts two equal tails off; the other nodes' spacing then makes as large an error as each of them. */
static double choose_spacing(double nu, size_t components, double *first)
{
    double a = 0.5 * nu, low = log(SMALLEST_ERROR), high = log(0.1), spacing = 0.0;
    for (int i = 0; i < 40; i++) {
        double level = exp(0.5 * (low + high)), from = tail_end(below, a, level, -30.0);
        spacing = (tail_end(above, a, level, 60.0) - from) / (double)components;
        *first = from + 0.5 * spacing;
        *(aliasing(a, spacing) > level ? &low : &high) = log(level);
    }
    return spacing;
}

enum { LEAST_COMPONENTS = 4, MOST_COMPONENTS = 200 };

struct student {
    double nu, scale;
    size_t components;
};

/* The mixture that stands for scale 1. */
struct nodes {
    double weight[MOST_COMPONENTS], mean[MOST_COMPONENTS], sd[MOST_COMPONENTS];
    double spacing;
};

static void fill(const struct student *student, struct nodes *out)
{
    double first, total = 0.0;
    out->spacing = choose_spacing(student->nu, student->components, &first);
    for (size_t k = 0; k < student->components; k++) {
        double theta = first + (double)k * out->spacing;
        out->weight[k] = exp(0.5 * student->nu * (-2.0 * theta - expm1(-2.0 * theta)));
        out->mean[k] = 0.0;
        out->sd[k] = exp(theta);
        total += out->weight[k];
    }
    for (size_t k = 0; k < student->components; k++)
        out->weight[k] /= total;
}

static enum status exists(const struct target *target, size_t dimension, struct error *error)
{
    const struct student *student = target_params(target);
    (void)dimension;
    if (student->nu <= LARGEST_NU)
        return STATUS_OK;
    return fail_with(error, STATUS_INVALID,
                     "target %s: a Student-t law with nu = %g is a Gaussian to rounding, expected nu <= %g",
                     target->name, student->nu, LARGEST_NU);
}

static enum status factors(const struct target *target, size_t dimension, struct factor_list *list,
                           struct error *error)
{
    const struct student *student = target_params(target);
    struct nodes nodes;
    fill(student, &nodes);
    for (size_t k = 0; k < student->components; k++)
        nodes.sd[k] *= student->scale;
    struct factor factor = {1, student->components, nodes.weight, nodes.mean, nodes.sd, NULL, NULL, NULL};
    return factor_list_append(list, &factor, (double)dimension, error);
}

/* TV, which does not depend on the scale, is the integral of |p - t| over x > 0, here in y with x = sqrt(nu) sinh(y),
 * where the difference oscillates with a period of about the spacing; beyond the reach of the widest component, the
 * two tails. A midpoint rule is good to 1e-3, and a hundredth more stands for that. */
static double approximation(const struct target *target)
{
    enum { A_PERIOD = 64, MOST_POINTS = 1000000 };
    const struct student *student = target_params(target);
    struct nodes nodes;
    fill(student, &nodes);
    double root = sqrt(student->nu), end = 10.0 * nodes.sd[student->components - 1], reach = asinh(end / root);
    double points = fmin(ceil(reach / nodes.spacing * A_PERIOD), MOST_POINTS), length = reach / points, total = 0.0;
    for (double i = 0.5; i < points; i += 1.0) {
        double x = root * sinh(i * length), density = 0.0;
        for (size_t k = 0; k < student->components; k++)
            density += nodes.weight[k] * gsl_ran_gaussian_pdf(x, nodes.sd[k]);
        total += fabs(density - gsl_ran_tdist_pdf(x, student->nu)) * root * cosh(i * length) * length;
    }
    double tails = gsl_cdf_tdist_Q(end, student->nu);
    for (size_t k = 0; k < student->components; k++)
        tails += nodes.weight[k] * 0.5 * erfc(end / nodes.sd[k] * M_SQRT1_2);
    return fmin(1.01 * (total + tails), 1.0);
}

static struct target_content content(const struct target *target, double dimension)
{
    const struct student *student = target_params(target);
    double k = (double)student->components;
    (void)dimension;
    return (struct target_content){1.0, k, k, 2.0 * k, 0.0};
}

static const struct param params[] = {
    {"nu", PARAM_REAL, offsetof(struct student, nu), "degrees of freedom: above 2 the variance is finite",
     .required = 1, .range = GREATER_THAN(2.0)},
    {"scale", PARAM_REAL, offsetof(struct student, scale), "the scale of every coordinate", .standard = 1.0,
     .range = GREATER_THAN(0.0)},
    {"components", PARAM_INTEGER, offsetof(struct student, components), "the number of Gaussians", .standard = 24.0,
     .range = FROM_TO(LEAST_COMPONENTS, MOST_COMPONENTS)},
    {0},
};

const struct target_family target_student = {
    .name = "student-t",
    .doc = "Student's t, copied over the dimension: heavy tails, as a finite mixture of Gaussians by the trapezoid "
           "rule in the logarithm of their scale.",
    .formula = "prod_i sum_k w_k N(x_i; 0, scale^2 e^(2 theta_k)), for t_nu(x_i/scale)/scale",
    .source = "theory §3",
    .params = params,
    .params_size = sizeof(struct student),
    .exists = exists,
    .factors = factors,
    .approximation = approximation,
    .content = content,
};
