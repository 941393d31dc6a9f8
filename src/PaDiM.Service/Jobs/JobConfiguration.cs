using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using PaDiM.Service.Data;

namespace PaDiM.Service.Jobs;

/// <summary>Indexes and concurrency of the job queue.</summary>
internal sealed class JobConfiguration : IEntityTypeConfiguration<Job>
{
    public void Configure(EntityTypeBuilder<Job> job)
    {
        job.HasIndex(j => new { j.Category, j.IdempotencyKey }).IsUnique();
        job.HasIndex(j => new { j.Category, j.Id });
        job.HasIndex(j => new { j.State, j.Id });
        job.Property(j => j.Fence).IsConcurrencyToken();
    }
}
