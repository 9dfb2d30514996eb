import Livelihood
import Testing

@Suite struct ReportTests {
    @Test func `a report is of one year`() {
        #expect(LivelihoodReport(year: 2025).year == 2025)
    }
}
