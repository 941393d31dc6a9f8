using PaDiM.Engine.Faults;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Jobs;

namespace PaDiM.Service.Models;

/// <summary>Provides all models that score a photograph: that of its category, and those of its regions.</summary>
internal sealed class PartRegistry(
    ModelRegistry models,
    RegionIndex regions,
    SuccessNotices notices,
    LinePatience patience
)
{
    /// <summary>
    /// Gets the snapshots that score a photograph of a category: of its active version, and of those of the categories
    /// that take their images from it. With a version, that one alone.
    /// </summary>
    public async ValueTask<Outcome<PartModels>> AcquireAsync(
        string category,
        int? version,
        CancellationToken cancellationToken
    )
    {
        if (version is null)
            return (await PrefetchAsync(category, cancellationToken)).Succeeded(out var ready, out var problem)
                ? ready.Models
                : problem;
        return (await models.AcquireAsync(category, version, cancellationToken)).Succeeded(out var model, out var gone)
            ? new PartModels(category, [model])
            : gone;
    }

    /// <summary>Gets the snapshots that score a photograph of a category, and whether one had to be loaded.</summary>
    public async ValueTask<Outcome<(PartModels Models, bool Loaded)>> PrefetchAsync(
        string category,
        CancellationToken cancellationToken
    )
    {
        // A client has seen a fit succeed, perhaps the first one of a region that is not known here yet.
        if (!notices.IsEmpty && !patience.IsSpent)
            regions.Forget();
        var members = await regions.FindMembersAsync(category) ?? [category];
        var found = new List<CategoryModel>(members.Count);
        var hasLoaded = false;
        foreach (var member in members)
        {
            if ((await models.PrefetchAsync(member, cancellationToken)).Succeeded(out var ready, out var problem))
            {
                found.Add(ready.Model);
                hasLoaded |= ready.Loaded;
            }
            // A region whose model is damaged stops the line, as a single category does; one that was just deleted
            // does not.
            else if (member == category || problem.Code != ProblemCodes.CategoryNotFound)
                return problem;
        }
        return found.Count > 0 ? (new PartModels(category, found), hasLoaded) : Problems.ModelNotReady(category);
    }
}
