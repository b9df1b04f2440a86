import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router'
import { NotFound } from './NotFound'
import { fieldsSearch, formsSearch, handoffsSearch, leadsSearch, listSearch, loginSearch, pipelineSearch, reviewSearch, stagesSearch, tasksSearch, todaySearch, jobsSearch } from './search'
import { Gate } from './Gate'

const rootRoute = createRootRoute({ notFoundComponent: NotFound })

const loginRoute = createRoute({
  getParentRoute: () => rootRoute, path: '/login', validateSearch: loginSearch,
  component: lazyRouteComponent(() => import('../rooms/login/Page'), 'LoginPage'),
})

/** Everything but the login needs a session. */
const appRoute = createRoute({ getParentRoute: () => rootRoute, id: 'app', component: Gate })

const homeRoute = createRoute({
  getParentRoute: () => appRoute, path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/review', replace: true })
  },
})

const reviewRoute = createRoute({
  getParentRoute: () => appRoute, path: '/review', validateSearch: reviewSearch,
  component: lazyRouteComponent(() => import('../rooms/review/Page'), 'ReviewPage'),
})

const todayRoute = createRoute({
  getParentRoute: () => appRoute, path: '/today', validateSearch: todaySearch,
  component: lazyRouteComponent(() => import('../rooms/today/Page'), 'TodayPage'),
})
const tasksRoute = createRoute({
  getParentRoute: () => appRoute, path: '/tasks', validateSearch: tasksSearch,
  component: lazyRouteComponent(() => import('../rooms/tasks/Page'), 'TasksPage'),
})

const records = () => import('../rooms/records/Page')
const record = () => import('../rooms/record/Page')
const create = () => import('../rooms/record/NewPage')

const dealsRoute = createRoute({
  getParentRoute: () => appRoute, path: '/deals', validateSearch: listSearch, component: lazyRouteComponent(records, 'DealsPage'),
})
const newDealRoute = createRoute({ getParentRoute: () => appRoute, path: '/deals/new', component: lazyRouteComponent(create, 'NewDealPage') })
const dealRoute = createRoute({ getParentRoute: () => appRoute, path: '/deals/$id', component: lazyRouteComponent(record, 'DealPage') })
const recordsRoute = createRoute({
  getParentRoute: () => appRoute, path: '/records/$object', validateSearch: listSearch, component: lazyRouteComponent(records, 'RecordsPage'),
})
const newRecordRoute = createRoute({ getParentRoute: () => appRoute, path: '/records/$object/new', component: lazyRouteComponent(create, 'NewRecordPage') })
const recordRoute = createRoute({ getParentRoute: () => appRoute, path: '/records/$object/$id', component: lazyRouteComponent(record, 'RecordPage') })

const importsRoute = createRoute({
  getParentRoute: () => appRoute, path: '/imports', component: lazyRouteComponent(() => import('../rooms/imports/Page'), 'ImportsPage'),
})
const importRoute = createRoute({
  getParentRoute: () => appRoute, path: '/imports/$id', component: lazyRouteComponent(() => import('../rooms/imports/OnePage'), 'ImportPage'),
})
const fieldsRoute = createRoute({
  getParentRoute: () => appRoute, path: '/admin/fields', validateSearch: fieldsSearch, component: lazyRouteComponent(() => import('../rooms/fields/Page'), 'FieldsPage'),
})
const importsAlias = createRoute({
  getParentRoute: () => appRoute, path: '/admin/imports',
  beforeLoad: () => {
    throw redirect({ to: '/imports', replace: true })
  },
})
const jobsRoute = createRoute({
  getParentRoute: () => appRoute, path: '/admin/jobs', validateSearch: jobsSearch, component: lazyRouteComponent(() => import('../rooms/jobs/Page'), 'JobsPage'),
})
const systemRoute = createRoute({
  getParentRoute: () => appRoute, path: '/admin/system', component: lazyRouteComponent(() => import('../rooms/system/Page'), 'SystemPage'),
})

const pipelineRoute = createRoute({
  getParentRoute: () => appRoute, path: '/pipeline', validateSearch: pipelineSearch, component: lazyRouteComponent(() => import('../rooms/pipeline/Page'), 'PipelinePage'),
})
const staleRoute = createRoute({
  getParentRoute: () => appRoute, path: '/pipeline/stale', component: lazyRouteComponent(() => import('../rooms/pipeline/StalePage'), 'StalePage'),
})
const stagesRoute = createRoute({
  getParentRoute: () => appRoute, path: '/admin/stages', validateSearch: stagesSearch, component: lazyRouteComponent(() => import('../rooms/stages/Page'), 'StagesPage'),
})
const leadsRoute = createRoute({
  getParentRoute: () => appRoute, path: '/leads', validateSearch: leadsSearch, component: lazyRouteComponent(() => import('../rooms/leads/Page'), 'LeadsPage'),
})
const handoffsRoute = createRoute({
  getParentRoute: () => appRoute, path: '/handoffs', validateSearch: handoffsSearch, component: lazyRouteComponent(() => import('../rooms/handoffs/Page'), 'HandoffsPage'),
})
const formsRoute = createRoute({
  getParentRoute: () => appRoute, path: '/admin/forms', validateSearch: formsSearch, component: lazyRouteComponent(() => import('../rooms/forms/Page'), 'FormsPage'),
})
const assignmentRoute = createRoute({
  getParentRoute: () => appRoute, path: '/admin/assignment', component: lazyRouteComponent(() => import('../rooms/assignment/Page'), 'AssignmentPage'),
})

const routeTree = rootRoute.addChildren([
  loginRoute,
  appRoute.addChildren([
    homeRoute, todayRoute, tasksRoute, reviewRoute, dealsRoute, newDealRoute, dealRoute, recordsRoute, newRecordRoute, recordRoute, importsRoute, importRoute, fieldsRoute, systemRoute, pipelineRoute, staleRoute, stagesRoute, leadsRoute, handoffsRoute, formsRoute, assignmentRoute, importsAlias, jobsRoute,
  ]),
])

export const router = createRouter({ routeTree, defaultPreload: 'intent', scrollRestoration: true })

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
