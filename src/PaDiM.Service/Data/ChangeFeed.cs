namespace PaDiM.Service.Data;

/// <summary>
/// Tells the features of this process what another process has changed, as soon as it hears of it. What subscribes also
/// looks into the database once a second, or does so while nothing is heard (<see cref="IsHeard"/>). Thread-safe.
/// </summary>
internal sealed class ChangeFeed
{
    /// <summary>
    /// The channel on which the triggers of PostgreSQL report changes, as part of the transaction that makes them. They name
    /// the table, so that many changes of one transaction are one notification. Rows fire them and not statements, of which
    /// most change nothing: every worker asks for a job once a second.
    /// </summary>
    public const string Channel = "padim_changes";

    private volatile bool _isHeard;

    private event Action<SharedTable>? Changed;

    /// <summary>
    /// Gets whether every change is heard, so that none has to be looked for. When this turns to true, all tables are
    /// reported, because of what changed before. Never with SQLite, nor behind a pooler.
    /// </summary>
    public bool IsHeard
    {
        get => _isHeard;
        set
        {
            _isHeard = value;
            if (!value)
                return;
            foreach (var table in Enum.GetValues<SharedTable>())
                Report(table);
        }
    }

    /// <summary>Calls an action after every change of a table, on any thread.</summary>
    public void Subscribe(SharedTable table, Action onChange) =>
        Changed += changed =>
        {
            if (changed == table)
                onChange();
        };

    /// <summary>Reports a change.</summary>
    public void Report(SharedTable table) => Changed?.Invoke(table);
}

/// <summary>The tables whose rows processes keep in memory or wait for; the names are those of the database.</summary>
internal enum SharedTable
{
    /// <summary>Activation, thresholds, settings and deletions of categories.</summary>
    Categories,

    /// <summary>New and revoked keys.</summary>
    ApiKeys,

    /// <summary>Jobs that wait or have ended.</summary>
    Jobs,

    /// <summary>New, changed and deleted sinks.</summary>
    Sinks,
}
