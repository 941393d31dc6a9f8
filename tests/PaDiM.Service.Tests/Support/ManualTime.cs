namespace PaDiM.Service.Tests.Support;

/// <summary>The real clock, set forward by hand.</summary>
internal sealed class ManualTime : TimeProvider
{
    private TimeSpan ahead;

    public void Advance(TimeSpan by) => ahead += by;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + ahead;
}
