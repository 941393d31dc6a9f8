using PaDiM.Engine.Faults;
using PaDiM.Service.Data;

namespace PaDiM.Service.Jobs;

/// <summary>
/// Decides which worker holds a job, and until when. Processes on SQLite share one machine and no clock that they could
/// trust; those on PostgreSQL have the clock of the database.
/// </summary>
internal interface IJobLeases
{
    /// <summary>The attempts after which a job that is never heard of again is given up.</summary>
    const int MaxAttempts = 5;

    /// <summary>
    /// Claims the oldest job that has no live worker, skipping categories with a running job; null when there is none.
    /// Ends jobs of dead workers that were cancelled, or started too often.
    /// </summary>
    Task<Job?> ClaimAsync(string worker, CancellationToken cancellationToken);

    /// <summary>Renews a lease and stores the progress of the job.</summary>
    Task<LeaseState> RenewAsync(JobLease lease, JobProgress progress, CancellationToken cancellationToken);

    /// <summary>Creates the fault of a job that is given up.</summary>
    static UserFault CreateAbandoned(int attempts) =>
        new(
            ProblemCodes.JobAbandoned,
            $"The job was started {attempts} times and never finished; see the log of the service."
        );
}
