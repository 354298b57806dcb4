#include "capture/input_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 64 }; /* folders in folders */

static int add_input(struct input_list *list, const char *path, uint64_t size, int err,
                     const char *problem)
{
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 16;
        struct input *grown = realloc(list->at, room * sizeof *grown);
        if (!grown)
            return -ENOMEM;
        list->at = grown;
        list->room = room;
    }
    struct input *input = &list->at[list->count];
    *input = (struct input){.path = strdup(path), .size = size, .err = err};
    if (problem)
        input->problem = strdup(problem);
    list->count++;
    return input->path && (input->problem || !problem) ? 0 : -ENOMEM;
}

static int add_problem(struct input_list *list, const char *path, int err)
{
    return add_input(list, path, 0, err, strerror(err));
}

static int is_shown(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_folder(struct input_list *list, const char *path, int depth);

static int add_entry(struct input_list *list, const char *folder, const char *name, int depth)
{
    char *path;
    size_t len = strlen(folder);
    if (asprintf(&path, "%s%s%s", folder, len && folder[len - 1] == '/' ? "" : "/", name) < 0)
        return -ENOMEM;
    struct stat link, st;
    int rc = 0;
    if (lstat(path, &link) < 0 || stat(path, &st) < 0)
        rc = add_problem(list, path, errno);
    else if (S_ISREG(st.st_mode))
        rc = add_input(list, path, (uint64_t)st.st_size, 0, NULL);
    else if (S_ISDIR(link.st_mode))
        rc = add_folder(list, path, depth + 1);
    else if (!S_ISDIR(st.st_mode))
        rc = add_input(list, path, 0, EINVAL, "is no regular file");
    free(path);
    return rc;
}

static int add_folder(struct input_list *list, const char *path, int depth)
{
    if (depth > DEPTH_MAX)
        return add_problem(list, path, ELOOP);
    struct dirent **entries;
    int count = scandir(path, &entries, is_shown, by_name);
    if (count < 0)
        return errno == ENOMEM ? -ENOMEM : add_problem(list, path, errno);
    size_t before = list->count;
    int rc = 0;
    for (int i = 0; i < count; i++) {
        if (!rc)
            rc = add_entry(list, path, entries[i]->d_name, depth);
        free(entries[i]);
    }
    free(entries);
    if (!rc && depth == 0 && list->count == before)
        rc = add_input(list, path, 0, ENODATA, "holds no files: there is no capture in it");
    return rc;
}

static int add_path(struct input_list *list, const char *path)
{
    struct stat st;
    if (strcmp(path, "-") == 0)
        return add_input(list, path, 0, 0, NULL);
    if (stat(path, &st) < 0)
        return add_problem(list, path, errno);
    if (S_ISDIR(st.st_mode))
        return add_folder(list, path, 0);
    return add_input(list, path, S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0, 0, NULL);
}

int input_list_init(struct input_list *list, const char *const *paths, size_t path_count,
                    struct fault *fault)
{
    memset(list, 0, sizeof *list);
    size_t stdins = 0;
    for (size_t i = 0; i < path_count; i++) {
        stdins += strcmp(paths[i], "-") == 0;
        if (stdins > 1)
            return fault_set(fault, EINVAL, "-: stdin can be read only once");
        if (add_path(list, paths[i]))
            return fault_set(fault, ENOMEM, "%s: no memory for the list of inputs", paths[i]);
    }
    return 0;
}

void input_list_fini(struct input_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->at[i].path);
        free(list->at[i].problem);
    }
    free(list->at);
    memset(list, 0, sizeof *list);
}
