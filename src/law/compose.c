/* TV of a direct sum (theory (16)): TV = E_p (1 - e^L)_+ with L = sum of independent log r_i.
 *
 * Each factor's log r is spread over a lattice so that its moments up to the 7th are kept (the mean-preserving
 * lattice of privacy-loss accounting, to higher order); an FFT gives its characteristic function, d copies are its
 * d-th power, and the expectation of the payoff is a cosine series with known coefficients (the COS method of Fang &
 * Oosterlee, SIAM J. Sci. Comput. 31, 2008), in units u = L/s with s the standard deviation of L. The interval [a, b]
 * of u comes from Chernoff bounds, so what lies outside is bounded. The series ends in a smooth filter. With few
 * factors its terms fall slowly, because L's density is singular where log r has its extremes, and the payoff bends
 * at 0; but as long as these are apart, the terms oscillate, and what a smooth filter leaves out falls faster than
 * any power of where it ends (Gottlieb & Shu, SIAM Review 39, 1997). */
#include <gsl/gsl_fft_real.h>
#include <gsl/gsl_sf_exp.h>
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/vmath.h"
#include "law/divergence.h"
#include "law/integrals.h"

#define TOLERANCE 1e-9  /* relative, of the cosine series' tail */
#define SPREADING 3e-11 /* relative, of the lattice's moments above the 7th and of its sums: measured up to 1e-11 */
#define LOG_TAIL_MASS -34.5 /* log of the probability left outside [a, b] on either side: 1e-15 */
#define PHASE_A_PIECE 12.0  /* radians that 24 Gauss-Legendre points resolve to rounding */

enum {
    ORDER = 8,          /* lattice points that a mass is spread over */
    SMALLEST = 1 << 11, /* lattice sizes */
    LARGEST = 1 << 19,
    FREQUENCIES_PER_POINT = 16, /* lattice points for each frequency in use */
    MOST_PIECES = 4096
};

/* log r of the law normalised to mass 1: the mass defect is accounted for in the radius, and would grow with d here.
 */
static double normalisation(const struct law *law)
{
    return log1p(law->mass_defect);
}

/* The payoff of TV is (1 - e^L)+. Where q has lost the tails of p, log r may be -1e10, r is 0, and L would need an
 * interval beyond any lattice. Such mass of p is set apart as lost: the payoff of a product is 1 where any factor is
 * there, and the mass of q there is dropped. Where log r is above FAR_UP, the payoff is 0, and the mass is nearly 0.
 */
#define DROPPED_PART 1e-10 /* of E|r - 1| that may be dropped */
#define LEAST_LOST -2.0
#define FAR_DOWN -36.0 /* only where log r reaches this, or FAR_UP, is there anything to cut */
#define FAR_UP 36.0
#define MASS_ABOVE 1e-18

/* The part of a factor's log r - shift that goes into the sum as it is. */
struct window {
    double shift, lowest, highest;
    double lost, error; /* mass of p below `lowest`; what setting it apart costs */
};

struct sum_law {
    const struct law_group *groups;
    struct window *window; /* of each group */
    size_t count;
    double mean, sd; /* of L under p */
    double a, b;     /* in units of sd */
    double log_kept; /* of the probability that no factor is lost */
    double dropped;
};

static int is_lost(const struct window *window, double log_ratio)
{
    return log_ratio - window->shift < window->lowest;
}

/* log r - shift, cut off at the top of the window. */
static double windowed(const struct window *window, double log_ratio)
{
    return fmin(log_ratio - window->shift, window->highest);
}

static enum status whole_support(const struct law *law, struct law_nodes *nodes, struct error *error)
{
    enum status status = STATUS_OK;
    nodes->count = 0;
    for (size_t p = 0; p < law->log_ratio.count && status == STATUS_OK; p++) {
        const struct panel *panel = &law->log_ratio.panel[p];
        status = law_nodes_append(law, panel, panel->centre - panel->half_width, panel->centre + panel->half_width,
                                  nodes, error);
    }
    return status;
}

/* The masses of p and of q below `log_ratio`. */
static void masses_below(const struct law_nodes *nodes, double log_ratio, double *of_p, double *of_q)
{
    *of_p = *of_q = 0.0;
    for (size_t j = 0; j < nodes->count; j++)
        if (nodes->log_ratio[j] < log_ratio) {
            *of_p += nodes->weight[j];
            *of_q += nodes->weight[j] * exp(nodes->log_ratio[j]);
        }
}

/* A level of log r above which the mass of p is at most MASS_ABOVE. */
static double find_highest(const struct law_nodes *nodes, double multiplicity)
{
    double low = 0.0, high = 700.0;
    for (int i = 0; i < 50; i++) {
        double middle = 0.5 * (low + high), above = 0.0;
        for (size_t j = 0; j < nodes->count; j++)
            above += nodes->log_ratio[j] > middle ? nodes->weight[j] : 0.0;
        *(above * fabs(multiplicity) > MASS_ABOVE ? &low : &high) = middle;
    }
    return fmax(2.0 * high, FAR_UP); /* finer nodes see more than these */
}

/* The highest level of log r, up to LEAST_LOST, below which q has at most the part DROPPED_PART of E|r - 1|. */
static double find_lowest(const struct law_nodes *nodes, double multiplicity)
{
    double low = -800.0, high = LEAST_LOST, size = 0.0, of_p, of_q;
    for (size_t j = 0; j < nodes->count; j++)
        size += nodes->weight[j] * fabs(expm1(nodes->log_ratio[j]));
    for (int i = 0; i < 50; i++) {
        double level = i == 0 ? high : 0.5 * (low + high);
        masses_below(nodes, level, &of_p, &of_q);
        *(of_q * fabs(multiplicity) <= DROPPED_PART * size ? &low : &high) = level;
    }
    return low;
}

static struct window find_window(const struct law *law, const struct law_nodes *nodes, double multiplicity)
{
    struct window window = {.shift = normalisation(law), .lowest = -HUGE_VAL, .highest = HUGE_VAL};
    double smallest = HUGE_VAL, largest = -HUGE_VAL;
    for (size_t j = 0; j < nodes->count; j++) {
        smallest = fmin(smallest, nodes->log_ratio[j]);
        largest = fmax(largest, nodes->log_ratio[j]);
    }
    if (largest > FAR_UP)
        window.highest = find_highest(nodes, multiplicity) - window.shift;
    if (!(smallest < FAR_DOWN))
        return window;
    double level = find_lowest(nodes, multiplicity);
    window.lowest = level - window.shift;
    masses_below(nodes, level, &window.lost, &window.error);
    for (size_t j = 0; j + 1 < nodes->count; j++) /* where the cut lies between nodes is not known */
        if (is_lost(&window, nodes->log_ratio[j]) != is_lost(&window, nodes->log_ratio[j + 1]))
            window.error += fmin(nodes->weight[j], nodes->weight[j + 1]);
    return window;
}

enum { THETAS = 24, CHUNK = 256 };

/* log E e^{theta (L - mean)} of one factor, with `weight` and `value` where it is not lost: to full relative accuracy
 * where it is small (it is raised to high powers), without overflow where it is not. */
static double log_moment(const struct law_nodes *kept, double mean, double theta)
{
    double exponent[CHUNK], largest = 0.0, total = 0.0;
    for (size_t j = 0; j < kept->count; j++) {
        double value = theta * (kept->log_ratio[j] - mean);
        largest = value > largest ? value : largest;
    }
    int small = largest < 500.0;
    for (size_t from = 0; from < kept->count; from += CHUNK) {
        size_t n = kept->count - from < CHUNK ? kept->count - from : CHUNK;
        const double *weight = kept->weight + from, *value = kept->log_ratio + from;
        for (size_t j = 0; j < n; j++)
            exponent[j] = theta * (value[j] - mean) - (small ? 0.0 : largest);
        (small ? vexpm1 : vexp)(n, exponent, exponent);
        for (size_t j = 0; j < n; j++)
            total += weight[j] * exponent[j];
    }
    return small ? log1p(total) : largest + log(total);
}

/* Leaves of the nodes what goes into the sum, in the window, with weights that add up to 1. */
static void keep_windowed(const struct window *window, struct law_nodes *nodes)
{
    size_t count = 0;
    for (size_t j = 0; j < nodes->count; j++)
        if (!is_lost(window, nodes->log_ratio[j])) {
            nodes->log_ratio[count] = windowed(window, nodes->log_ratio[j]);
            nodes->weight[count++] = nodes->weight[j] / (1.0 - window->lost);
        }
    nodes->count = count;
}

/* The interval of u by Chernoff: log P(L > x) <= log E e^{theta L} - theta x, at thetas spread over the scales of L.
 */
static enum status prepare(struct sum_law *sum, struct error *error)
{
    const struct law_group *groups = sum->groups;
    struct law_nodes nodes = {0};
    double upper[THETAS] = {0.0}, lower[THETAS] = {0.0}, variance = 0.0;
    enum status status = STATUS_OK;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < sum->count && status == STATUS_OK; i++) {
            double n = groups[i].multiplicity, mean = 0.0, square = 0.0;
            int known = pass == 1 && sum->count == 1;
            const struct window *window = &sum->window[i];
            if (!known)
                status = whole_support(groups[i].law, &nodes, error);
            if (pass == 0)
                sum->window[i] = find_window(groups[i].law, &nodes, n);
            if (!known)
                keep_windowed(window, &nodes);
            for (size_t j = 0; j < nodes.count; j++) {
                mean += nodes.weight[j] * nodes.log_ratio[j];
                square += nodes.weight[j] * nodes.log_ratio[j] * nodes.log_ratio[j];
            }
            sum->log_kept += pass == 0 ? n * log1p(-window->lost) : 0.0;
            sum->dropped += pass == 0 ? fabs(n) * window->error : 0.0;
            sum->mean += pass == 0 ? n * mean : 0.0;
            variance += pass == 0 ? n * fmax(square - mean * mean, 0.0) : 0.0;
            for (int k = 0; pass == 1 && k < THETAS; k++) {
                double theta = exp2(-3.0 + 0.5 * k) / sum->sd;
                upper[k] += n * log_moment(&nodes, mean, theta);
                lower[k] += n * log_moment(&nodes, mean, -theta);
            }
        }
        sum->sd = sqrt(variance);
        if (!(sum->sd > 0.0))
            break;
    }
    law_nodes_free(&nodes);
    if (status != STATUS_OK || !(sum->sd > 0.0))
        return status;
    double above = HUGE_VAL, below = HUGE_VAL;
    for (int k = 0; k < THETAS; k++) {
        double theta = exp2(-3.0 + 0.5 * k);
        above = fmin(above, (upper[k] - LOG_TAIL_MASS) / theta);
        below = fmin(below, (lower[k] - LOG_TAIL_MASS) / theta);
    }
    /* The kink at 0 stays inside even when, at TV near 1, almost all the mass lies on one side of it. The series
     * mirrors the payoff at a, which is a kink, too, and stays apart from where the density of L may begin. */
    sum->a = fmin(sum->mean / sum->sd - below, -1.0) - 1.0;
    sum->b = fmax(sum->mean / sum->sd + above, 1.0);
    if (!(isfinite(sum->a) && isfinite(sum->b)))
        return fail_with(error, STATUS_NUMERIC, "log r has no finite spread (standard deviation %g)", sum->sd);
    return STATUS_OK;
}

/* Adds `mass` at position `at` (in lattice units) to the ORDER nearest points by Lagrange weights, which keep the
 * moments. `size` is a power of 2. */
static void spread(double *lattice, size_t size, double at, double mass)
{
    static const double inverse[ORDER] = {-1.0 / 5040.0, 1.0 / 720.0, -1.0 / 240.0, 1.0 / 144.0,
                                          -1.0 / 144.0,  1.0 / 240.0, -1.0 / 720.0, 1.0 / 5040.0};
    double cell = floor(at), theta = at - cell + (ORDER / 2 - 1); /* position among points 0..ORDER-1 */
    double wrapped = cell - floor(cell / (double)size) * (double)size;
    size_t first = (size_t)wrapped + size - (ORDER / 2 - 1);
    double left[ORDER], right = mass;
    left[0] = 1.0;
    for (int k = 1; k < ORDER; k++)
        left[k] = left[k - 1] * (theta - (k - 1));
    for (int k = ORDER - 1; k >= 0; k--) {
        lattice[(first + (size_t)k) & (size - 1)] += left[k] * right * inverse[k];
        right *= theta - k;
    }
}

/* The factor's law of log r on the lattice; panels are cut so finely that the highest frequency is integrated to
 * rounding. */
static enum status fill_lattice(const struct law *law, const struct window *window, double spacing, double highest,
                                struct law_nodes *nodes, double *lattice, size_t size, struct error *error)
{
    double rest = 1.0;
    memset(lattice, 0, size * sizeof *lattice);
    for (size_t p = 0; p < law->log_ratio.count; p++) {
        const struct panel *panel = &law->log_ratio.panel[p];
        double from = panel->centre - panel->half_width, turn = 0.0, mass = 0.0;
        nodes->count = 0;
        enum status status = law_nodes_append(law, panel, from, panel->centre + panel->half_width, nodes, error);
        for (size_t j = 0; j < nodes->count; j++) {
            mass += nodes->weight[j];
            if (j > 0 && !is_lost(window, nodes->log_ratio[j]) && !is_lost(window, nodes->log_ratio[j - 1]))
                turn += fabs(windowed(window, nodes->log_ratio[j]) - windowed(window, nodes->log_ratio[j - 1]));
        }
        size_t pieces = mass < 1e-17 ? 1 : (size_t)fmin(ceil(highest * turn / PHASE_A_PIECE) + 1.0, MOST_PIECES);
        if (pieces > 1)
            nodes->count = 0;
        for (size_t i = 0; i < pieces && pieces > 1 && status == STATUS_OK; i++)
            status =
                law_nodes_append(law, panel, from + 2.0 * panel->half_width * (double)i / (double)pieces,
                                 from + 2.0 * panel->half_width * (double)(i + 1) / (double)pieces, nodes, error);
        if (status != STATUS_OK)
            return status;
        for (size_t j = 0; j < nodes->count; j++) {
            if (!is_lost(window, nodes->log_ratio[j]))
                spread(lattice, size, windowed(window, nodes->log_ratio[j]) / spacing, nodes->weight[j]);
            rest -= nodes->weight[j];
        }
    }
    /* Mass outside the panels, 1e-20, and quadrature rounding: where it does least harm, at log r = 0. */
    spread(lattice, size, 0.0, rest);
    return STATUS_OK;
}

struct transform {
    size_t size;
    double *lattice; /* and then its transform, as GSL packs it */
    gsl_fft_real_wavetable *table;
    gsl_fft_real_workspace *work;
};

static enum status transform_new(size_t size, struct transform *out, struct error *error)
{
    *out = (struct transform){size, array_new(size, sizeof *out->lattice), gsl_fft_real_wavetable_alloc(size),
                              gsl_fft_real_workspace_alloc(size)};
    return out->lattice != NULL && out->table != NULL && out->work != NULL
               ? STATUS_OK
               : fail_with(error, STATUS_MEMORY, "out of memory for a lattice of %zu points", size);
}

static void transform_free(struct transform *transform)
{
    free(transform->lattice);
    if (transform->table != NULL)
        gsl_fft_real_wavetable_free(transform->table);
    if (transform->work != NULL)
        gsl_fft_real_workspace_free(transform->work);
}

/* Adds n log phi(xi_k) to log_modulus, argument for k < frequencies; phi is the conjugate of the forward
 * transform. phi - 1 is accurate to rounding, so d = 10^6 copies keep ten digits. */
static void add_log_transform(const struct transform *transform, double n, size_t frequencies, double *log_modulus,
                              double *argument)
{
    double previous = 0.0, base = 0.0;
    for (size_t k = 0; k < frequencies; k++) {
        double re = transform->lattice[k > 0 ? 2 * k - 1 : 0], im = k > 0 ? -transform->lattice[2 * k] : 0.0;
        double modulus_squared_minus_1 = (re - 1.0) * (re + 1.0) + im * im;
        double angle = atan2(im, re);
        /* the continuous branch, for multiplicities that are not integers */
        angle += 2.0 * M_PI * nearbyint((previous - angle) / (2.0 * M_PI));
        previous = angle;
        double doubled = modulus_squared_minus_1 > -0.9 ? log1p(modulus_squared_minus_1) : log(re * re + im * im);
        if (k == 0)
            base = doubled; /* phi(0) = 1 but for rounding, which d copies would raise to the d-th power */
        log_modulus[k] += 0.5 * n * (doubled - base);
        argument[k] += n * angle;
    }
}

/* The integral of (1 - e^{su})_+ cos(kappa (u - a)) over [a, b], a < 0 < b. */
static double payoff_coefficient(double s, double a, double kappa)
{
    if (kappa == 0.0)
        return 0.5 * s * a * a * gsl_sf_exprel_2(s * a);
    double half = sin(0.5 * kappa * a);
    return s / kappa / (s * s + kappa * kappa) * (kappa * (expm1(s * a) + 2.0 * half * half) - s * sin(kappa * a));
}

/* The filter that ends a series of terms k < end: 1 - 1e-17 at its beginning and 1e-17 at its end. */
#define STEEPNESS 6.0
static double filter(double k, double end)
{
    return k < end ? 0.5 * erfc(STEEPNESS * (2.0 * k / end - 1.0)) : 0.0;
}

/* The cosine series on a lattice of the given size, as it ends later and sooner. *envelope is what the first leaves
 * out, if nothing of that cancels: what the filter takes from the terms, and those beyond the last. */
#define SOONER 0.70710678118654752
#define BY_CHANCE 0.03
enum { ENDS = 3 };
static enum status series(const struct sum_law *sum, size_t size, double value[ENDS], double *envelope,
                          struct error *error)
{
    size_t frequencies = size / FREQUENCIES_PER_POINT;
    double width = sum->b - sum->a, spacing = 2.0 * width / (double)size * sum->sd;
    double highest = M_PI * (double)frequencies / width / sum->sd;
    struct transform transform;
    struct law_nodes nodes = {0};
    double *log_modulus = array_new(2 * frequencies, sizeof *log_modulus), *argument = log_modulus + frequencies;
    enum status status = transform_new(size, &transform, error);
    if (status == STATUS_OK && log_modulus == NULL)
        status = fail_with(error, STATUS_MEMORY, "out of memory for %zu frequencies", frequencies);
    for (size_t i = 0; i < sum->count && status == STATUS_OK; i++) {
        status = fill_lattice(sum->groups[i].law, &sum->window[i], spacing, highest, &nodes, transform.lattice, size,
                              error);
        if (status == STATUS_OK) {
            (void)gsl_fft_real_transform(transform.lattice, 1, size, transform.table, transform.work);
            add_log_transform(&transform, sum->groups[i].multiplicity, frequencies, log_modulus, argument);
        }
    }
    double beyond = 0.0;
    *envelope = 0.0;
    for (int i = 0; i < ENDS; i++)
        value[i] = 0.0;
    for (size_t k = 0; k < frequencies && status == STATUS_OK; k++) {
        double kappa = M_PI * (double)k / width, modulus = exp(log_modulus[k]), end = (double)frequencies;
        double term = (k == 0 ? 1.0 : 2.0) / width * modulus * cos(argument[k] - kappa * sum->a)
                      * payoff_coefficient(sum->sd, sum->a, kappa);
        for (int i = 0; i < ENDS; i++, end *= SOONER)
            value[i] += term * filter((double)k, end);
        *envelope += fabs(term) * (1.0 - filter((double)k, (double)frequencies));
        /* |V_k| <= 2 s/kappa^2, and sum_{j >= k} 1/kappa_j^2 is about width/(pi kappa_k) */
        if (4 * k >= 3 * frequencies)
            beyond = fmax(beyond, modulus * 4.0 * sum->sd / (M_PI * kappa));
    }
    *envelope += beyond;
    law_nodes_free(&nodes);
    transform_free(&transform);
    free(log_modulus);
    return status;
}

enum status tv_composed(const struct law_group *groups, size_t count, struct measured *tv, struct error *error)
{
    double l1 = 0.0, l2_squared = 0.0, copies = 0.0, lost = 0.0;
    *tv = (struct measured){0.0, 0.0};
    for (size_t i = 0; i < count; i++) {
        const struct law *law = groups[i].law;
        double e = law->error_l2 + fabs(law->mass_defect), m = law->mass_defect;
        /* Normalisation spreads mass that q has outside the support over it. A defect that errors inside cannot
         * explain is such mass. */
        lost += m < -law->error_l1 ? -m * groups[i].multiplicity : 0.0;
        l1 += groups[i].multiplicity * (law->error_l1 + fabs(law->mass_defect));
        l2_squared += groups[i].multiplicity * e * e;
        copies += groups[i].multiplicity;
    }
    /* TV between the true product and the computed one: it adds, and by Hellinger it is at most sqrt(sum |e_i|^2)/2.
     */
    double law_error = fmin(0.5 * l1, 0.5 * sqrt(l2_squared)) + lost;
    struct sum_law sum = {.groups = groups, .window = array_new(count, sizeof *sum.window), .count = count};
    if (sum.window == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a sum of %zu laws", count);
    enum status status = prepare(&sum, error);
    /* Where terms fall slowly, the change from a filter that ends sooner is sharper than the envelope, and far more
     * than what is left out; it may be small by chance, hence the other. */
    double value[ENDS] = {0.0}, tail = 0.0;
    for (size_t size = SMALLEST; size <= LARGEST && sum.sd > 0.0 && status == STATUS_OK; size *= 2) {
        status = series(&sum, size, value, &tail, error);
        tail = fmin(tail, fmax(fabs(value[0] - value[1]), BY_CHANCE * fabs(value[0] - value[2])));
        if (tail <= TOLERANCE * fabs(value[0]))
            break;
    }
    free(sum.window);
    if (status != STATUS_OK)
        return status;
    double all = fmin(-expm1(sum.log_kept) + exp(sum.log_kept) * value[0], 1.0);
    double rounding = SPREADING + copies * 1e-15, outside = 2.0 * exp(LOG_TAIL_MASS) * fmin(1.0, -sum.a * sum.sd);
    *tv = (struct measured){all, law_error + tail + rounding * all + outside + sum.dropped};
    return STATUS_OK;
}
