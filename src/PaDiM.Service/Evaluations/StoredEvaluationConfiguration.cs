using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using PaDiM.Service.Data;

namespace PaDiM.Service.Evaluations;

/// <summary>Indexes of the table of evaluations.</summary>
internal sealed class StoredEvaluationConfiguration : IEntityTypeConfiguration<StoredEvaluation>
{
    public void Configure(EntityTypeBuilder<StoredEvaluation> evaluation)
    {
        evaluation.HasIndex(e => new
        {
            e.Category,
            e.ModelVersion,
            e.Id,
        });
        evaluation.OwnsMany(e => e.Scores, scores => scores.ToJson());
        evaluation.HasOne<Category>().WithMany().HasForeignKey(e => e.Category).OnDelete(DeleteBehavior.Cascade);
    }
}
