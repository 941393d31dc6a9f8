using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace PaDiM.Service.Data.Postgres.Migrations
{
    /// <inheritdoc />
    public partial class SinkNotifications : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                CREATE TRIGGER padim_report_change AFTER INSERT OR UPDATE OR DELETE ON "Sinks"
                    FOR EACH ROW EXECUTE FUNCTION padim_report_change();
                """
            );
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""DROP TRIGGER padim_report_change ON "Sinks";""");
        }
    }
}
