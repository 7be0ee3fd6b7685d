#include "law/quadrature.h"

#include <gsl/gsl_integration.h>
#include <math.h>
#include <string.h>

#include "core/legendre.h"
#include "core/memory.h"
#include "law/tuning.h"

static const size_t hermite_nodes[] = {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40};
static const double trapezoid_spacings[] = {0.3,   0.24,  0.18,  0.13,  0.09, 0.065, 0.045,
                                            0.034, 0.026, 0.019, 0.014, 0.01, 0.007};

_Static_assert(HERMITE_ORDERS == sizeof hermite_nodes / sizeof hermite_nodes[0]
                   && ORDERS == HERMITE_ORDERS + sizeof trapezoid_spacings / sizeof trapezoid_spacings[0],
               "a rule for each order");

/* Gauss-Hermite nodes of GSL, polished: its eigenvalues are good to 1e-15, but an odd moment of that size, made in
 * every step, would be the largest error of the whole law. Orthonormal polynomials: p_{k+1} = (z p_k - sqrt(k)
 * p_{k-1})/sqrt(k+1). */
static void polish(double *node, double *weight, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (int newton = 0; newton < 3; newton++) {
            double before = 0.0, p = 1.0, squares = 0.0;
            for (size_t k = 0; k < n; k++) {
                double next = (node[i] * p - sqrt((double)k) * before) / sqrt((double)k + 1.0);
                squares += p * p;
                before = p;
                p = next;
            }
            node[i] -= p / (sqrt((double)n) * before);
            weight[i] = 1.0 / squares;
        }
    }
    for (size_t i = 0; i < n - 1 - i; i++) {
        node[n - 1 - i] = 0.5 * (node[n - 1 - i] - node[i]);
        node[i] = -node[n - 1 - i];
        weight[i] = weight[n - 1 - i] = 0.5 * (weight[i] + weight[n - 1 - i]);
    }
    if (n % 2 == 1)
        node[n / 2] = 0.0;
}

static enum status quadrature_room(size_t n, struct quadrature *rule, struct error *error)
{
    rule->n = n;
    rule->node = array_new(2 * n, sizeof *rule->node);
    if (rule->node == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu quadrature nodes", n);
    rule->weight = rule->node + n;
    return STATUS_OK;
}

static enum status make_trapezoid(double spacing, struct quadrature *rule, struct error *error)
{
    TRY(quadrature_room(2 * (size_t)ceil(TRAPEZOID_REACH / spacing) + 1, rule, error));
    for (size_t i = 0; i < rule->n; i++) {
        rule->node[i] = spacing * ((double)i - (double)(rule->n / 2));
        rule->weight[i] = spacing / sqrt(2.0 * M_PI) * exp(-0.5 * rule->node[i] * rule->node[i]);
    }
    return STATUS_OK;
}

static enum status make_hermite(size_t n, struct quadrature *rule, struct error *error)
{
    TRY(quadrature_room(n, rule, error));
    gsl_integration_fixed_workspace *gauss =
        gsl_integration_fixed_alloc(gsl_integration_fixed_hermite, n, 0.0, 0.5, 0.0, 0.0);
    if (gauss == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu quadrature nodes", n);
    memcpy(rule->node, gsl_integration_fixed_nodes(gauss), n * sizeof *rule->node);
    gsl_integration_fixed_free(gauss);
    polish(rule->node, rule->weight, n);
    return STATUS_OK;
}

enum status quadrature_legendre(size_t n, struct quadrature *rule, struct error *error)
{
    TRY(quadrature_room(n, rule, error));
    legendre_rule(n, rule->node, rule->weight);
    return STATUS_OK;
}

enum status quadrature_table_new(struct quadrature_table *out, size_t pieces, struct error *error)
{
    *out = (struct quadrature_table){0};
    for (size_t i = 0; i < HERMITE_ORDERS; i++)
        TRY(make_hermite(hermite_nodes[i], &out->order[i], error));
    for (size_t i = HERMITE_ORDERS; i < ORDERS; i++)
        TRY(make_trapezoid(trapezoid_spacings[i - HERMITE_ORDERS], &out->order[i], error));
    for (size_t i = 0; i < pieces; i++)
        TRY(quadrature_legendre(8 + i, &out->piece[i], error));
    return STATUS_OK;
}

void quadrature_table_free(struct quadrature_table *table)
{
    for (size_t i = 0; i < ORDERS; i++) {
        free(table->order[i].node);
        free(table->piece[i].node);
    }
    *table = (struct quadrature_table){0};
}

size_t quadrature_order(size_t order, double resolution, size_t highest)
{
    size_t extra = resolution > 1.0 ? (size_t)lround(ORDERS_PER_DOUBLING * log2(resolution)) : 0;
    return order + extra < highest ? order + extra : highest;
}

size_t quadrature_raise(double error, double tolerance)
{
    return error > ORDER_SKIP_ABOVE * tolerance ? ORDER_SKIP : 1;
}

void quadrature_append(const struct quadrature *piece, size_t parts, double from, double to, struct quadrature *out)
{
    for (size_t k = 0; k < parts && out->n + piece->n <= MOST_RULE_NODES; k++) {
        double half = 0.5 * (to - from) / (double)parts, centre = from + half * (2.0 * (double)k + 1.0);
        for (size_t j = 0; j < piece->n; j++) {
            double z = centre + half * piece->node[j];
            out->node[out->n] = z;
            out->weight[out->n++] = half * piece->weight[j] / sqrt(2.0 * M_PI) * exp(-0.5 * z * z);
        }
    }
}

void quadrature_split(const struct quadrature_table *table, size_t order, double reach, size_t count,
                      const double *breaks, struct quadrature *out)
{
    double from = -reach;
    out->n = 0;
    for (size_t b = 0; b <= count; b++) {
        double to = b < count ? fmin(fmax(breaks[b], from), reach) : reach;
        quadrature_append(&table->piece[order], (size_t)ceil((to - from) / PIECE_LENGTH), from, to, out);
        from = to;
    }
}
