using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using PaDiM.Service.Data;

namespace PaDiM.Service.Sinks;

/// <summary>Keys of the table of sinks.</summary>
internal sealed class SinkConfiguration : IEntityTypeConfiguration<Sink>
{
    public void Configure(EntityTypeBuilder<Sink> sink)
    {
        sink.HasKey(s => s.Name);
    }
}

/// <summary>Keys and indexes of the table of dead letters.</summary>
internal sealed class DeadLetterConfiguration : IEntityTypeConfiguration<DeadLetter>
{
    public void Configure(EntityTypeBuilder<DeadLetter> letter)
    {
        letter.HasKey(l => l.Id);
        letter.HasIndex(l => new { l.Sink, l.Id });
        // A sink takes its letters with it, also one that another replica adds at the same time.
        letter.HasOne<Sink>().WithMany().HasForeignKey(l => l.Sink).OnDelete(DeleteBehavior.Cascade);
    }
}
