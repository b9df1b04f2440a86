import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, type ReactNode, useEffect, useState } from 'react'
import { meKey, signIn } from '../../api/me'
import { explain } from '../../api/problem'
import { Mark } from '../../app/Logo'
import css from './Page.module.css'

export function LoginPage(): ReactNode {
  const { next } = useSearch({ from: '/login' })
  const navigate = useNavigate()
  const client = useQueryClient()
  useEffect(() => {
    document.title = 'Sign in · Canopy'
  }, [])
  return (
    <main className={css['page']}>
      <div className={css['card']}>
        <div className={css['brand']}><Mark size={26} /><h1>Sign in to Canopy</h1></div>
        <LoginForm email="" onDone={(me) => {
          client.clear()
          client.setQueryData(meKey, me)
          void navigate({ to: next ?? '/review', replace: true })
        }} />
      </div>
    </main>
  )
}

/** LoginForm asks for e-mail and password; with an e-mail given it asks for the password only. */
export function LoginForm({ email: given, onDone }: { email: string; onDone: (me: Awaited<ReturnType<typeof signIn>>) => void }): ReactNode {
  const [email, setEmail] = useState(given)
  const [password, setPassword] = useState('')
  const login = useMutation({ mutationFn: () => signIn(email.trim(), password), onSuccess: onDone })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    login.mutate()
  }
  return (
    <form className={css['form']} onSubmit={submit}>
      <TextInput label="E-mail" type="email" name="email" autoComplete="username" required withAsterisk={false} value={email} autoFocus={given === ''}
        onChange={(event) => setEmail(event.currentTarget.value)} />
      <PasswordInput label="Password" name="password" autoComplete="current-password" required withAsterisk={false} value={password} autoFocus={given !== ''}
        onChange={(event) => setPassword(event.currentTarget.value)} />
      {login.isError && <p role="alert" className={css['error']}>{explain(login.error).message} {explain(login.error).remedy}</p>}
      <Button type="submit" loading={login.isPending} fullWidth>Sign in</Button>
    </form>
  )
}
