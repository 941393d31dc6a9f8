using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace PaDiM.Service.Data;

/// <summary>Lets <c>dotnet ef migrations add</c> see all models without starting the service or a server.</summary>
internal sealed class DesignTimeContext
    : IDesignTimeDbContextFactory<PadimDbContext>,
        IDesignTimeDbContextFactory<PostgresDbContext>,
        IDesignTimeDbContextFactory<LedgerDbContext>,
        IDesignTimeDbContextFactory<PostgresLedgerContext>
{
    PadimDbContext IDesignTimeDbContextFactory<PadimDbContext>.CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<PadimDbContext>().UseSqlite("Data Source=design.db").Options);

    PostgresDbContext IDesignTimeDbContextFactory<PostgresDbContext>.CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<PostgresDbContext>().UseNpgsql("Host=design;Database=design").Options);

    LedgerDbContext IDesignTimeDbContextFactory<LedgerDbContext>.CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<LedgerDbContext>().UseSqlite("Data Source=design.db").Options);

    PostgresLedgerContext IDesignTimeDbContextFactory<PostgresLedgerContext>.CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<PostgresLedgerContext>().UseNpgsql("Host=design;Database=design").Options);
}
