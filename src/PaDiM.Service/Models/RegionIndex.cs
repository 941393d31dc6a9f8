using System.Collections.Frozen;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;

namespace PaDiM.Service.Models;

/// <summary>
/// Knows which categories score the photographs of a category: those that take their images from it and have an active
/// version, behind the category itself if it has one. Read once, and again after a change. Thread-safe.
/// </summary>
internal sealed class RegionIndex(IDbContextFactory<PadimDbContext> contexts, LinePatience patience)
{
    private volatile Lazy<Task<FrozenDictionary<string, string[]>>>? _members;

    private readonly Lock _gate = new();
    private Task _reloading = Task.CompletedTask;

    /// <summary>What was read last: a database that cannot be read now does not stop the line.</summary>
    private volatile FrozenDictionary<string, string[]>? _last;

    /// <summary>
    /// Gets the names of the categories that score the photographs of a category, itself first; null if no other
    /// category does.
    /// </summary>
    public async ValueTask<IReadOnlyList<string>?> FindMembersAsync(string category)
    {
        // A change while the index is read replaces it, so that an old answer is not kept.
        var members = _members ??= new Lazy<Task<FrozenDictionary<string, string[]>>>(ReadAsync);
        if (_last is { } known && !await patience.WaitAsync(members.Value, CancellationToken.None))
            return known.GetValueOrDefault(category);
        try
        {
            return (await members.Value).GetValueOrDefault(category);
        }
        catch (Exception)
        {
            Interlocked.CompareExchange(ref _members, null, members);
            if (_last is not { } last)
                throw;
            return last.GetValueOrDefault(category);
        }
    }

    /// <summary>Reads the index again before its next use: a category has changed.</summary>
    public void Forget() => _members = null;

    /// <summary>
    /// Reads the index again now. Scores go on with the old one meanwhile, and none waits for the database.
    /// </summary>
    public Task ReloadAsync()
    {
        // One after the other: a later one has seen more.
        lock (_gate)
            return _reloading = ReloadAfterAsync(_reloading);
    }

    private async Task ReloadAfterAsync(Task earlier)
    {
        await earlier;
        var next = new Lazy<Task<FrozenDictionary<string, string[]>>>(ReadAsync);
        try
        {
            await next.Value;
            _members = next;
        }
        catch (Exception)
        {
            Forget();
        }
    }

    private async Task<FrozenDictionary<string, string[]>> ReadAsync()
    {
        await using var db = await contexts.CreateQuickAsync(CancellationToken.None);
        var regions = await db
            .Categories.Where(c => c.Settings.ImagesOf != null && c.ActiveVersion != null)
            .OrderBy(c => c.Name)
            .Select(c => new { c.Name, Source = c.Settings.ImagesOf! })
            .ToListAsync();
        var sources = regions.Select(region => region.Source).Distinct().ToList();
        var scoring = await db
            .Categories.Where(c => sources.Contains(c.Name) && c.ActiveVersion != null)
            .Select(c => c.Name)
            .ToListAsync();
        return _last = regions
            .GroupBy(region => region.Source, StringComparer.Ordinal)
            .ToFrozenDictionary(
                group => group.Key,
                group => scoring.Where(name => name == group.Key).Concat(group.Select(region => region.Name)).ToArray(),
                StringComparer.Ordinal
            );
    }
}
