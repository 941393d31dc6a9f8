using PaDiM.Service.Background;
using PaDiM.Service.Data;

namespace PaDiM.Service.Jobs;

/// <summary>
/// Wakes the workers of this process when a job is enqueued here, or when the database reports one; otherwise they find
/// it by polling.
/// </summary>
internal sealed class JobSignal : Signal
{
    public JobSignal(ChangeFeed changes) => changes.Subscribe(SharedTable.Jobs, Set);
}
