using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using PaDiM.Service.Data;

namespace PaDiM.Service.Thresholds;

/// <summary>Index of the table of threshold changes.</summary>
internal sealed class ThresholdChangeConfiguration : IEntityTypeConfiguration<ThresholdChange>
{
    public void Configure(EntityTypeBuilder<ThresholdChange> entity)
    {
        entity.HasIndex(change => new { change.Category, change.Id });
    }
}
