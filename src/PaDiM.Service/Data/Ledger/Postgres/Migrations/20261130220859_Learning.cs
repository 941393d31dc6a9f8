using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace PaDiM.Service.Data.Ledger.Postgres.Migrations
{
    /// <inheritdoc />
    public partial class Learning : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "ShadowMisses",
                schema: "ledger",
                columns: table => new
                {
                    Category = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    Version = table.Column<int>(type: "integer", nullable: false),
                    Replica = table.Column<string>(type: "text", maxLength: 253, nullable: false, collation: "C"),
                    Missed = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_ShadowMisses", x => new { x.Category, x.Version, x.Replica });
                });

            migrationBuilder.CreateTable(
                name: "ShadowScores",
                schema: "ledger",
                columns: table => new
                {
                    Key = table.Column<long>(type: "bigint", nullable: false),
                    Category = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    Version = table.Column<int>(type: "integer", nullable: false),
                    ActiveVersion = table.Column<int>(type: "integer", nullable: false),
                    InspectionCategory = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    InspectionId = table.Column<string>(type: "text", maxLength: 80, nullable: false, collation: "C"),
                    Score = table.Column<double>(type: "double precision", nullable: false),
                    Decision = table.Column<string>(type: "text", nullable: false),
                    ShadowScore = table.Column<double>(type: "double precision", nullable: false),
                    ShadowDecision = table.Column<string>(type: "text", nullable: false),
                    Differs = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_ShadowScores", x => x.Key);
                });

            migrationBuilder.CreateIndex(
                name: "IX_ShadowScores_Category_Version_Differs_Key",
                schema: "ledger",
                table: "ShadowScores",
                columns: new[] { "Category", "Version", "Differs", "Key" });

            migrationBuilder.CreateIndex(
                name: "IX_ShadowScores_InspectionCategory_InspectionId_Category_Versi~",
                schema: "ledger",
                table: "ShadowScores",
                columns: new[] { "InspectionCategory", "InspectionId", "Category", "Version" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_ShadowScores_InspectionCategory_Key",
                schema: "ledger",
                table: "ShadowScores",
                columns: new[] { "InspectionCategory", "Key" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "ShadowMisses",
                schema: "ledger");

            migrationBuilder.DropTable(
                name: "ShadowScores",
                schema: "ledger");
        }
    }
}
