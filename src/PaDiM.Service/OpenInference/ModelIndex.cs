using System.Globalization;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Access;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Models;

namespace PaDiM.Service.OpenInference;

/// <summary>Knows which models and versions there are.</summary>
internal sealed class ModelIndex(IDbContextFactory<PadimDbContext> contexts, ModelRegistry registry)
{
    /// <summary>How clients name the active version.</summary>
    public const string Active = "";

    /// <summary>Gets the version in the address of a request; null for the active one.</summary>
    public static Outcome<int?> ParseVersion(string category, HttpContext context) =>
        VersionName.Parse(category, context.GetRouteValue("version") as string ?? "", Active);

    /// <summary>Gets the versions of a model, newest first.</summary>
    public async Task<Outcome<IReadOnlyList<int>>> ListVersionsAsync(
        string category,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (!await db.Categories.AnyAsync(c => c.Name == category, cancellationToken))
            return Problems.CategoryNotFound(category);
        return await db
            .Models.Where(model => model.Category == category)
            .OrderByDescending(model => model.Version)
            .Select(model => model.Version)
            .ToListAsync(cancellationToken);
    }

    /// <summary>Lists what a caller may see: every version of every category, and categories without one.</summary>
    public async Task<IReadOnlyList<IndexedModel>> ListAsync(Caller caller, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var categories = await db
            .Categories.OrderBy(category => category.Name)
            .Select(category => category.Name)
            .ToListAsync(cancellationToken);
        var versions = (
            await db.Models.Select(model => new { model.Category, model.Version }).ToListAsync(cancellationToken)
        ).ToLookup(model => model.Category, model => model.Version, StringComparer.Ordinal);
        var damage = registry.GetDamage().ToDictionary(model => (model.Category, model.Version), model => model.State);
        return
        [
            .. categories
                .Where(caller.MaySee)
                .SelectMany(category =>
                    versions[category]
                        .Order()
                        .Select(version =>
                            damage.TryGetValue((category, version), out var state)
                                ? new IndexedModel(category, Format(version), IndexedModel.Unavailable, Describe(state))
                                : new IndexedModel(category, Format(version), IndexedModel.Ready, "")
                        )
                        .DefaultIfEmpty(
                            new IndexedModel(category, "", IndexedModel.Unavailable, "no model has been fitted yet")
                        )
                ),
        ];
    }

    private static string Format(int version) => version.ToString(CultureInfo.InvariantCulture);

    private static string Describe(ModelState state) =>
        state == ModelState.Corrupt ? "the file of the version is damaged" : "the file of the version is missing";
}

/// <summary>An entry of the repository index.</summary>
/// <param name="Name">Name of the category.</param>
/// <param name="Version">The version; empty for a category without one.</param>
/// <param name="State"><c>READY</c> or <c>UNAVAILABLE</c>.</param>
/// <param name="Reason">Why it is not ready.</param>
internal sealed record IndexedModel(string Name, string Version, string State, string Reason)
{
    public const string Ready = "READY",
        Unavailable = "UNAVAILABLE";
}
