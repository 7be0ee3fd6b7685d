/* What results say of plug-ins, which stands in for those that are not loaded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/registry.h"
#include "experiment/spec.h"
#include "test/suite.h"

TEST_SUITE(stand_ins);

#define NAMED \
    "plugins: [./a.so, b.so]\ntargets: [{name: g, kind: tt, anything: {goes: [1]}}]\n" \
    "samplers: [ss, ode, ddpm]\ndimensions: [1]\nsteps: [64]\n"
#define KNOWN \
    "plug-in 0123456789abcdef ./a.so\nsampler ss 2 noise noise-before clip order 2.5\nplug-in 1 b.so\nsampler ode " \
    "3\ntarget " \
    "tt\n"

TEST(stand_ins_say_what_is_known)
{
    OWNED(spec) spec;
    struct error error = {STATUS_OK, ""};
    ASSERT_OK(spec_parse, "x.yaml", NAMED, strlen(NAMED), KNOWN, (const char *const[]){NULL}, &spec);
    ck_assert_str_eq(spec.plugins, "plug-in 0123456789abcdef ./a.so\nsampler ss 2 noise noise-before clip order 2.5\n"
                                   "plug-in 0000000000000001 b.so\nsampler ode 3\ntarget tt\n");
    ck_assert_uint_eq(spec.sampler_count, 3);
    const struct sampler *ss = spec.samplers[0], *ode = spec.samplers[1];
    ck_assert_str_eq(ss->name, "ss");
    ck_assert_uint_eq(ss->score_evaluations, 2);
    ck_assert(ss->log_noise_ratio != NULL && ss->log_noise_before != NULL && ss->correction != NULL);
    ck_assert_uint_eq(ode->score_evaluations, 3);
    ck_assert(ode->log_noise_ratio == NULL && ode->log_noise_before == NULL && ode->correction == NULL);
    ck_assert(ode->increment == NULL);
    ck_assert_double_eq(ss->claimed_order, 2.5);
    ck_assert_ptr_nonnull(ss->claim_source);
    ck_assert_double_eq(ode->claimed_order, 0.0);
    ck_assert_ptr_eq(spec.samplers[2], sampler_find("ddpm"));
    ck_assert_int_eq(target_is_loaded(&spec.targets[0]), 0);
    ck_assert_str_eq(spec.targets[0].written, "of plug-in 0000000000000001 {anything {goes [1 ] } }");
    struct factor_list list;
    ck_assert_int_eq(target_factors(&spec.targets[0], 1, &list, &error), STATUS_UNSUPPORTED);
    ck_assert_int_eq(target_coordinates(&spec.targets[0], 1, &list, &error), STATUS_UNSUPPORTED);
}

static const struct {
    const char *known, *message;
} bad_knowledge[] = {
    {"", "x.yaml:1:11: nothing is known of this plug-in"},
    {"plug-in 1 ./a.so\n", "x.yaml:1:19: nothing is known of this plug-in"},
    {"plug-in 1 ./a.so\nplug-in 1 ./b.so\n", "x.yaml:1:19: nothing is known of this plug-in"},
    {"plug-in 1 ./a.so\nsampler ss 1\nplug-in 2 b.so\nsampler ode 1\n", "x.yaml:2:27: unknown target kind 'tt'"},
    {"sampler ss 1\n", "line 1 on plug-ins"},
    {"target tt\n", "line 1 on plug-ins"},
    {"\n", "line 1 on plug-ins"},
    {"plug-in\n", "line 1 on plug-ins"},
    {"plug-in 12 \n", "line 1 on plug-ins"},
    {"plug-in xyz ./a.so\n", "line 1 on plug-ins"},
    {"plug-in 1 ./a.so\nsampler ss\n", "line 2 on plug-ins"},
    {"plug-in 1 ./a.so\nsampler ss 0\n", "line 2 on plug-ins"},
    {"plug-in 1 ./a.so\nsampler ss -1\n", "line 2 on plug-ins"},
    {"plug-in 1 ./a.so\nsampler ss 1001\n", "line 2 on plug-ins"},
    {"plug-in 1 ./a.so\nsampler ss 1 order\n", "line 2 on plug-ins"},
    {"plug-in 1 ./a.so\nsampler ss 1 order 0\n", "line 2 on plug-ins"},
    {"plug-in 1 ./a.so\nsampler ss 1 order nan\n", "line 2 on plug-ins"},
    {"plug-in 1 ./a.so\nsampler ss 1 order 2 noise\n", "line 2 on plug-ins"},
    {"plug-in 1 ./a.so\nsampler ss 1 noisy\n", "line 2 on plug-ins"},
    {"plug-in 1 ./a.so\nsampler ss 1 clip noise\n", "line 2 on plug-ins"},
    {"plug-in 1 ./a.so\ntarget tt more\n", "line 2 on plug-ins"},
    {"plug-in 1 ./a.so\ntarget\n", "line 2 on plug-ins"},
    {"plug-in 1 ./a.so\nwonder\n", "line 2 on plug-ins"},
    {"plug-in 1 ./a.so\nsampler ../ss 1\n", "the lines on plug-ins name what is no name"},
    {"plug-in 1 ./a.so\nsampler ddpm 1\n", "the lines on plug-ins name what is no name, or is there twice"},
    {"plug-in 1 ./a.so\ntarget t\nplug-in 2 b.so\ntarget t\n", "or is there twice"},
    {"plug-in 1 ./a.so\ntarget gaussian\n", "or is there twice"},
};

TEST(hostile_knowledge_is_refused, .count = COUNT(bad_knowledge))
{
    OWNED(spec) spec;
    struct error error = {STATUS_OK, ""};
    ck_assert_int_ne(spec_parse("x.yaml", NAMED, strlen(NAMED), bad_knowledge[_i].known, (const char *const[]){NULL},
                                &spec, &error),
                     STATUS_OK);
    ck_assert_msg(strstr(error.text, bad_knowledge[_i].message) != NULL, "%s", error.text);
}

TEST(much_knowledge_is_refused)
{
    struct registry registry;
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    fputs("plug-in 1 x\n", stream);
    for (int i = 0; i < 65; i++)
        fprintf(stream, "sampler s%d 1\n", i);
    (void)fclose(stream);
    ASSERT_FAILS(STATUS_IO, "line 66 on plug-ins", registry_parse, text, &registry);
    registry_free(&registry);
    *strstr(text, "sampler s64 1\n") = '\0';
    ASSERT_OK(registry_parse, text, &registry);
    ck_assert_str_eq(registry.plugins[0].samplers[63]->name, "s63");
    registry_free(&registry);
    free(text);
    stream = open_memstream(&text, &size);
    for (int i = 0; i < 33; i++)
        fprintf(stream, "plug-in %d x\n", i);
    (void)fclose(stream);
    ASSERT_FAILS(STATUS_IO, "line 33 on plug-ins", registry_parse, text, &registry);
    registry_free(&registry);
    free(text);
}
