using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using PaDiM.Service.Data;

namespace PaDiM.Service.Access;

/// <summary>Indexes of the audit trail.</summary>
internal sealed class AuditEntryConfiguration : IEntityTypeConfiguration<AuditEntry>
{
    public void Configure(EntityTypeBuilder<AuditEntry> entry)
    {
        entry.HasIndex(e => e.At);
        entry.HasIndex(e => new { e.Category, e.Id });
    }
}
