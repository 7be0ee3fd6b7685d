#define _GNU_SOURCE /* posix_spawn_file_actions_addchdir_np */
#include "report/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "core/installed.h"
#include "core/memory.h"

extern char **environ;

const char *const gnuplot_images[IMAGES] = {"svg", "png"};

enum status gnuplot_scripts(char *path, size_t size, struct error *error)
{
    if (!installed_find("scripts/style.gp", path, size))
        return fail_with(error, STATUS_IO, "cannot find the figures' scripts: no scripts/style.gp");
    *strrchr(path, '/') = '\0';
    return STATUS_OK;
}

/* gnuplot's words on one line. */
static enum status gnuplot_failed(const char *name, FILE *words, struct error *error)
{
    char text[400];
    rewind(words);
    text[fread(text, 1, sizeof text - 1, words)] = '\0';
    for (char *c = text; *c != '\0'; c++)
        *c = *c == '\n' || *c == '\t' ? ' ' : *c;
    return fail_with(error, STATUS_EXTERNAL, "gnuplot cannot draw %s: %s", name, text);
}

/* The environment without what gnuplot would take for the user's wishes: terminals, fonts, where to find scripts. */
static char **plain_environment(void)
{
    static const char *const wishes[] = {"GNU", "GDFONTPATH=", "FIT_"};
    size_t count = 0, kept = 0;
    while (environ[count] != NULL)
        count++;
    char **out = array_new(count + 1, sizeof *out);
    for (size_t i = 0; out != NULL && i < count; i++) {
        int wish = 0;
        for (size_t w = 0; w < sizeof wishes / sizeof wishes[0]; w++)
            wish |= strncmp(environ[i], wishes[w], strlen(wishes[w])) == 0;
        if (!wish)
            out[kept++] = environ[i];
    }
    return out;
}

static int spawn_gnuplot(const char *directory, char *const *arguments, FILE *words, pid_t *child)
{
    posix_spawn_file_actions_t actions;
    char **environment = plain_environment();
    int failure = environment != NULL ? posix_spawn_file_actions_init(&actions) : ENOMEM;
    if (failure != 0) {
        free(environment);
        return failure;
    }
    failure = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (failure == 0)
        failure = posix_spawn_file_actions_adddup2(&actions, fileno(words), STDOUT_FILENO);
    if (failure == 0)
        failure = posix_spawn_file_actions_adddup2(&actions, fileno(words), STDERR_FILENO);
    if (failure == 0)
        failure = posix_spawn_file_actions_addchdir_np(&actions, directory);
    if (failure == 0)
        failure = posix_spawnp(child, "gnuplot", &actions, NULL, arguments, environment);
    (void)posix_spawn_file_actions_destroy(&actions);
    free(environment);
    return failure;
}

enum status gnuplot_start(const char *scripts, struct drawing *out, struct error *error)
{
    char script[PATH_MAX + 200], style[PATH_MAX + 200], name[NAME_MAX], aside[FILE_TEMPORARY_SIZE];
    char program[] = "gnuplot", no_personal_settings[] = "-d", call[] = "-c";
    file_temporary("", 0, aside, sizeof aside);
    (void)snprintf(script, sizeof script, "%s/%s.gp", scripts, out->script);
    (void)snprintf(style, sizeof style, "%s/style.gp", scripts);
    (void)snprintf(name, sizeof name, "%s", out->name);
    char *const arguments[] = {program, no_personal_settings, call, script, style, name, aside, NULL};
    out->words = tmpfile();
    if (out->words == NULL)
        return fail_with(error, STATUS_IO, "cannot make a temporary file: %s", strerror(errno));
    int failure = spawn_gnuplot(out->directory, arguments, out->words, &out->child);
    if (failure == 0)
        return STATUS_OK;
    out->child = 0;
    if (failure == ENOENT)
        return fail_with(error, STATUS_EXTERNAL, "gnuplot is not installed; install gnuplot-nox");
    return fail_with(error, STATUS_EXTERNAL, "cannot start gnuplot: %s", strerror(failure));
}

struct image_path {
    char text[PATH_MAX + NAME_MAX + FILE_TEMPORARY_SIZE];
};

static struct image_path image_of(const struct drawing *drawing, size_t image)
{
    struct image_path path;
    (void)snprintf(path.text, sizeof path.text, "%s/%s.%s", drawing->directory, drawing->name, gnuplot_images[image]);
    return path;
}

/* Where gnuplot writes it. */
static struct image_path aside(const struct drawing *drawing, size_t image)
{
    struct image_path path, whole = image_of(drawing, image);
    file_temporary(whole.text, 0, path.text, sizeof path.text);
    return path;
}

enum status gnuplot_finish(struct drawing *drawing, struct error *error)
{
    int state = 0;
    enum status status = STATUS_OK;
    while (drawing->child > 0 && waitpid(drawing->child, &state, 0) < 0)
        if (errno != EINTR) {
            status = fail_with(error, STATUS_EXTERNAL, "lost gnuplot: %s", strerror(errno));
            break;
        }
    if (status == STATUS_OK && !(WIFEXITED(state) && WEXITSTATUS(state) == 0))
        status = gnuplot_failed(drawing->name, drawing->words, error);
    if (drawing->words != NULL)
        (void)fclose(drawing->words);
    for (size_t i = 0; i < IMAGES && drawing->child > 0; i++) {
        const struct image_path from = aside(drawing, i), to = image_of(drawing, i);
        if (status == STATUS_OK)
            status = file_keep(from.text, to.text, error);
        if (status != STATUS_OK) {
            (void)unlink(from.text);
            (void)unlink(to.text);
        }
    }
    return status;
}
