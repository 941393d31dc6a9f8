using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Sinks;

/// <summary>The dead letters in the database, which all replicas share.</summary>
internal sealed class DeadLetterStore(IDbContextFactory<PadimDbContext> contexts, TimeProvider time)
{
    /// <summary>After this time another replica may send the letters of one that has died meanwhile.</summary>
    public static readonly TimeSpan ClaimTime = TimeSpan.FromMinutes(10);

    public static string Write(Inspection inspection) => JsonSerializer.Serialize(inspection, SinkJson.Options);

    public static string Shorten(string error) =>
        error.Length > DeadLetter.MaxError ? error[..DeadLetter.MaxError] : error;

    /// <summary>Adds letters of one sink, and removes the oldest beyond the limit. Returns how many it removed.</summary>
    public async Task<int> AddAsync(IReadOnlyList<DeadLetter> letters, int limit, CancellationToken cancellationToken)
    {
        var sink = letters[0].Sink;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        db.AddRange(letters);
        await db.SaveChangesAsync(cancellationToken);
        var own = db.DeadLetters.Where(letter => letter.Sink == sink);
        var surplus = await own.CountAsync(cancellationToken) - limit;
        if (surplus <= 0)
            return 0;
        var last = await own.OrderBy(letter => letter.Id)
            .Skip(surplus - 1)
            .Select(letter => letter.Id)
            .FirstAsync(cancellationToken);
        return await own.Where(letter => string.Compare(letter.Id, last) <= 0).ExecuteDeleteAsync(cancellationToken);
    }

    /// <summary>Claims the oldest letters that wait, so that no other replica sends them.</summary>
    public async Task<Claim> ClaimAsync(string sink, int count, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var token = Guid.NewGuid().ToString("n");
        var until = now + ClaimTime;
        var wrong = until + ClaimTime;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var free = db.DeadLetters.Where(letter =>
            letter.Sink == sink
            && letter.State == DeadLetterState.Waiting
            // A claim that ends later than any of now was made by a clock that has been set back.
            && (letter.ClaimedUntil == null || letter.ClaimedUntil < now || letter.ClaimedUntil > wrong)
        );
        var ids = await free.OrderBy(letter => letter.Id)
            .Take(count)
            .Select(letter => letter.Id)
            .ToListAsync(cancellationToken);
        if (ids.Count == 0)
            return new Claim(this, token, []);
        await free.Where(letter => ids.Contains(letter.Id))
            .ExecuteUpdateAsync(
                set => set.SetProperty(l => l.ClaimedBy, token).SetProperty(l => l.ClaimedUntil, until),
                cancellationToken
            );
        var letters = await db
            .DeadLetters.AsNoTracking()
            .Where(letter => letter.ClaimedBy == token)
            .OrderBy(letter => letter.Id)
            .ToListAsync(cancellationToken);
        return new Claim(this, token, [.. letters.Select(letter => (letter, Read(letter)))]);
    }

    /// <summary>Records that a letter failed again.</summary>
    public async Task RecordFailureAsync(string id, DeliveryFailure failure, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var error = Shorten(failure.Error);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await db
            .DeadLetters.Where(letter => letter.Id == id)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(letter => letter.State, failure.State)
                        .SetProperty(letter => letter.Error, error)
                        .SetProperty(letter => letter.Attempts, letter => letter.Attempts + failure.Attempts)
                        .SetProperty(letter => letter.TriedAt, now)
                        .SetProperty(letter => letter.ClaimedBy, (string?)null)
                        .SetProperty(letter => letter.ClaimedUntil, (DateTime?)null),
                cancellationToken
            );
    }

    /// <summary>Gets the letters of a sink, oldest first.</summary>
    public async Task<Page<DeadLetterResponse>> ListAsync(
        string sink,
        PageRequest page,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await db
            .DeadLetters.AsNoTracking()
            .Where(letter => letter.Sink == sink && string.Compare(letter.Id, page.After) > 0)
            .OrderBy(letter => letter.Id)
            .Take(page.Limit + 1)
            .ToListAsync(cancellationToken);
        return page.Cut(
            rows,
            letter => letter.Id,
            letter => new DeadLetterResponse(
                letter.Id,
                letter.State,
                letter.Error,
                letter.Attempts,
                letter.CreatedAt,
                letter.TriedAt,
                Read(letter)
            )
        );
    }

    /// <summary>Lets letters be sent again: one, or all of a sink. Returns how many there are.</summary>
    public async Task<int> ReleaseAsync(string sink, string? id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await Select(db, sink, id)
            .ExecuteUpdateAsync(
                set => set.SetProperty(letter => letter.State, DeadLetterState.Waiting),
                cancellationToken
            );
    }

    /// <summary>Removes letters: one, or all of a sink. Returns how many there were.</summary>
    public async Task<int> RemoveAsync(string sink, string? id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await Select(db, sink, id).ExecuteDeleteAsync(cancellationToken);
    }

    /// <summary>Gets the number of letters of each sink that has any.</summary>
    public async Task<Dictionary<string, int>> CountAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db
            .DeadLetters.GroupBy(letter => letter.Sink)
            .Select(group => new { group.Key, Count = group.Count() })
            .ToDictionaryAsync(group => group.Key, group => group.Count, cancellationToken);
    }

    private async Task GiveBackAsync(string token)
    {
        await using var db = await contexts.CreateDbContextAsync();
        await db
            .DeadLetters.Where(letter => letter.ClaimedBy == token)
            .ExecuteUpdateAsync(set =>
                set.SetProperty(letter => letter.ClaimedBy, (string?)null)
                    .SetProperty(letter => letter.ClaimedUntil, (DateTime?)null)
            );
    }

    private static IQueryable<DeadLetter> Select(PadimDbContext db, string sink, string? id) =>
        db.DeadLetters.Where(letter => letter.Sink == sink && (id == null || letter.Id == id));

    private static Inspection Read(DeadLetter letter) =>
        JsonSerializer.Deserialize<Inspection>(letter.Inspection, SinkJson.Options)!;

    /// <summary>Letters that this task sends; those that are left are given back.</summary>
    /// <param name="Store">Where they are kept.</param>
    /// <param name="Token">Names the claim.</param>
    /// <param name="Letters">The letters with what they hold.</param>
    internal sealed record Claim(
        DeadLetterStore Store,
        string Token,
        IReadOnlyList<(DeadLetter Letter, Inspection Inspection)> Letters
    ) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            if (Letters.Count > 0)
                await Store.GiveBackAsync(Token);
        }
    }
}
