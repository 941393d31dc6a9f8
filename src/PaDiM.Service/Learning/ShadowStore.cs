using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Memory;

namespace PaDiM.Service.Learning;

/// <summary>Represents a candidate that scores in the shadow of the active version.</summary>
/// <param name="Category">The category.</param>
/// <param name="Version">The candidate.</param>
/// <param name="ActiveVersion">The version that decides.</param>
/// <param name="Since">Since when.</param>
internal sealed record Shadow(string Category, int Version, int ActiveVersion, DateTime Since);

/// <summary>The shadows of categories in the database. Every replica sees a change as it sees other changes of a category.</summary>
internal sealed class ShadowStore(IDbContextFactory<PadimDbContext> contexts, MemoryPlan memory, TimeProvider time)
{
    /// <summary>Gets the shadow of a category.</summary>
    public async Task<Outcome<Shadow>> GetAsync(string category, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var found = await db.Categories.AsNoTracking().SingleOrDefaultAsync(c => c.Name == category, cancellationToken);
        if (found is null)
            return Problems.CategoryNotFound(category);
        return found is { ShadowVersion: { } version, ActiveVersion: { } active, ShadowSince: { } since }
            ? new Shadow(category, version, active, since)
            : Problems.ShadowNotFound(category);
    }

    /// <summary>Lets a version score in the shadow of the active one, in place of the one before.</summary>
    public async Task<Problem?> StartAsync(string category, int version, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var found = await db.Categories.ForUpdate().SingleOrDefaultAsync(c => c.Name == category, cancellationToken);
        if (found is null)
            return Problems.CategoryNotFound(category);
        if (found.ActiveVersion is not { } active)
            return Problems.ModelNotReady(category);
        var sizes = await db
            .Models.Where(m => m.Category == category && (m.Version == version || m.Version == active))
            .ToDictionaryAsync(m => m.Version, m => m.StatisticsBytes, cancellationToken);
        if (!sizes.TryGetValue(version, out var bytes))
            return Problems.ModelNotFound(category, version);
        if (version == active)
            return Problems.ShadowActive(version);
        if (sizes.Values.Sum() > memory.ModelCache.Bytes)
            return Problems.ShadowTooLarge(bytes);
        found.StartShadow(version, time.GetUtcNow().UtcDateTime);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
        return null;
    }

    /// <summary>Ends the shadow of a category.</summary>
    public async Task<Problem?> EndAsync(string category, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var found = await db.Categories.ForUpdate().SingleOrDefaultAsync(c => c.Name == category, cancellationToken);
        if (found is null)
            return Problems.CategoryNotFound(category);
        if (found.ShadowVersion is null)
            return Problems.ShadowNotFound(category);
        found.EndShadow();
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
        return null;
    }
}
